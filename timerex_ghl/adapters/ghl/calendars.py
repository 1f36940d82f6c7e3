"""Calendars and their appointments, and the users of the location."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, time_of
from timerex_ghl.adapters.ghl.tasks import iso
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.shared.ghl_models import (
    AppointmentStatus,
    GhlAppointment,
    GhlAppointmentId,
    GhlCalendar,
    GhlCalendarId,
    GhlUser,
    GhlUserId,
)
from timerex_ghl.domain.shared.models import GhlContactId


class MoreOfAppointment(TypedDict, total=False):
    """Optional fields of an appointment.

    Attributes:
        notifies: Whether GHL's automations (mails, reminders) run: its `toNotify`.
        ignores_slots: Whether a time outside the calendar's free slots is accepted.
    """

    ends_at: datetime
    title: str
    status: AppointmentStatus
    assigned_to: GhlUserId
    address: str
    description: str
    notifies: bool
    ignores_slots: bool


class AppointmentChanges(MoreOfAppointment, total=False):
    """The fields of an appointment to change."""

    starts_at: datetime


class NewAppointment(MoreOfAppointment):
    """An appointment to create."""

    calendar_id: GhlCalendarId
    contact_id: GhlContactId
    starts_at: datetime


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {
    "calendar_id": "calendarId",
    "contact_id": "contactId",
    "starts_at": "startTime",
    "ends_at": "endTime",
    "status": "appointmentStatus",
    "assigned_to": "assignedUserId",
    "notifies": "toNotify",
    "ignores_slots": "ignoreFreeSlotValidation",
}


class CalendarCalls(GhlTransport):
    """The calendars of one location."""

    async def list_calendars(self) -> list[GhlCalendar]:
        """List the location's calendars.

        Source: GET /calendars/.
        """
        return await self.send(
            ops.LIST_CALENDARS,
            lambda answer: [_calendar(calendar) for calendar in answer["calendars"] or ()],
            params={"locationId": self.location_id},
        )

    async def list_users(self) -> list[GhlUser]:
        """List the location's users.

        Source: GET /users/, deprecated but working; its successor needs the company's id.
        """
        return await self.send(
            ops.LIST_USERS,
            lambda answer: [_user(user) for user in answer["users"] or ()],
            params={"locationId": self.location_id},
        )

    async def list_contact_appointments(
        self, contact_id: GhlContactId, zone: ZoneInfo
    ) -> list[GhlAppointment]:
        """List a contact's appointments.

        Args:
            contact_id: The contact.
            zone: The location's time zone: this list has local times without an offset.

        Source: GET /contacts/{contactId}/appointments.
        """
        return await self.send(
            ops.LIST_CONTACT_APPOINTMENTS,
            lambda answer: [_appointment(event, zone) for event in answer["events"] or ()],
            contact=contact_id,
        )

    async def list_events(
        self, calendar_id: GhlCalendarId, begins_at: datetime, ends_at: datetime
    ) -> list[GhlAppointment]:
        """List a calendar's appointments in a period, with cancelled and without deleted ones.

        There are no pages. A time without an offset is ambiguous and left out.

        Source: GET /calendars/events.
        """
        return await self.send(
            ops.LIST_EVENTS,
            lambda answer: [_listed(event) for event in answer["events"] or ()],
            params={
                "locationId": self.location_id,
                "calendarId": calendar_id,
                "startTime": _milliseconds(begins_at),
                "endTime": _milliseconds(ends_at),
            },
        )

    async def get_appointment(self, appointment_id: GhlAppointmentId) -> GhlAppointment:
        """Read an appointment, including a deleted one.

        Source: GET /calendars/events/appointments/{eventId}.
        """
        return await self.send(ops.GET_APPOINTMENT, _one, appointment=appointment_id)

    async def create_appointment(self, **new: Unpack[NewAppointment]) -> GhlAppointment:
        """Create an appointment.

        Source: POST /calendars/events/appointments.
        """
        body = {"locationId": self.location_id, **_body_of(new)}
        return await self.send(ops.CREATE_APPOINTMENT, _one, body=body)

    async def update_appointment(
        self, appointment_id: GhlAppointmentId, **changes: Unpack[AppointmentChanges]
    ) -> GhlAppointment:
        """Change the given fields of an appointment. To cancel it, set the status `cancelled`.

        Source: PUT /calendars/events/appointments/{eventId}.
        """
        return await self.send(
            ops.UPDATE_APPOINTMENT, _one, body=_body_of(changes), appointment=appointment_id
        )

    async def delete_appointment(self, appointment_id: GhlAppointmentId) -> None:
        """Delete an appointment, only ever one that we made; a cancel keeps it.

        Source: DELETE /calendars/events/{eventId}.
        """
        await self.send(ops.DELETE_APPOINTMENT, dict, body={}, appointment=appointment_id)


def _body_of(changes: AppointmentChanges | NewAppointment) -> dict[str, Any]:
    return {
        NAMES.get(name, name): iso(value) if isinstance(value, datetime) else value
        for name, value in changes.items()
    }


def _milliseconds(at: datetime) -> str:
    return str((at - EPOCH) // timedelta(milliseconds=1))


def _listed(event: Json) -> GhlAppointment:
    """Parse one listed appointment, without times that have no offset: their zone is unknown."""
    shown = {name: event.get(name) for name in ("startTime", "endTime")}
    known = {name: at for name, at in shown.items() if not _is_local(at)}
    return _appointment({**event, **dict.fromkeys(shown), **known}, None)


def _is_local(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except (TypeError, ValueError):
        return False


def _one(answer: Json) -> GhlAppointment:
    """Parse one appointment: bare in a write's answer, wrapped in a read's."""
    return _appointment(answer.get("event") or answer.get("appointment") or answer, None)


def _appointment(body: Json, zone: ZoneInfo | None) -> GhlAppointment:
    assigned_to, calendar_id, contact_id = (
        body.get(key) for key in ("assignedUserId", "calendarId", "contactId")
    )
    return GhlAppointment(
        id=GhlAppointmentId(str(body["id"])),
        calendar_id=GhlCalendarId(str(calendar_id)) if calendar_id else None,
        contact_id=GhlContactId(str(contact_id)) if contact_id else None,
        title=str(body.get("title") or ""),
        status=str(body.get("appointmentStatus") or body.get("appoinmentStatus") or ""),
        starts_at=_moment(body.get("startTime"), zone),
        ends_at=_moment(body.get("endTime"), zone),
        assigned_to=GhlUserId(str(assigned_to)) if assigned_to else None,
        address=str(body.get("address") or ""),
        deleted=bool(body.get("deleted")),
        updated_at=time_of(body.get("dateUpdated")),
    )


def _moment(value: Any, zone: ZoneInfo | None) -> datetime | None:
    """Parse a time; one without an offset is local to the zone."""
    if zone is None or not isinstance(value, str):
        return time_of(value)
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)


def _calendar(body: Json) -> GhlCalendar:
    minutes = body.get("slotDuration")
    return GhlCalendar(
        id=GhlCalendarId(str(body["id"])),
        name=str(body.get("name") or ""),
        is_active=body.get("isActive") is not False,
        slot_minutes=int(minutes) if isinstance(minutes, int | float) and minutes else None,
    )


def _user(body: Json) -> GhlUser:
    name = body.get("name") or " ".join(
        str(body[key]) for key in ("firstName", "lastName") if body.get(key)
    )
    return GhlUser(
        id=GhlUserId(str(body["id"])),
        name=str(name),
        email=str(body.get("email") or "").strip().lower(),
    )
