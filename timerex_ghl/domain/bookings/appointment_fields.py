"""An appointment's fields as texts, and its state: the base, and what GHL has now."""

from collections.abc import Mapping
from datetime import UTC, datetime

from timerex_ghl.domain.bookings.note_text import is_same_text
from timerex_ghl.domain.shared.actions import AppointmentWrite, CreateAppointment
from timerex_ghl.domain.shared.ghl_models import GhlAppointment, GhlAppointmentId
from timerex_ghl.domain.shared.models import FieldName, GhlContactId, Record

STARTS_AT, ENDS_AT = FieldName("starts_at"), FieldName("ends_at")
TITLE, ADDRESS, DETAILS = FieldName("title"), FieldName("address"), FieldName("details")
STATE, HOSTS = FieldName("state"), FieldName("hosts")
"""Base fields with what TimeRex had when last in sync. Hosts: their e-mails."""

STATUS, ASSIGNED_TO = FieldName("status"), FieldName("assigned_to")
GHL_TITLE, GHL_ADDRESS = FieldName("ghl_title"), FieldName("ghl_address")
"""Base fields with what GHL had then."""

CONTACT, CALENDAR = FieldName("contact"), FieldName("calendar_id")

CONFIRMED, CANCELLED, DELETED = "confirmed", "cancelled", "deleted"
ATTENDED = frozenset({"showed", "noshow"})
"""Statuses that say whether the guest came."""


class AppointmentState(Record):
    """The appointment of a booking.

    Attributes:
        contact_id: Its contact in GHL.
        base: What both sides last agreed on.
        now: The appointment as read from GHL; None where it was not read: then the base counts.
        is_gone: It was read, and GHL does not have it (any more).
    """

    id: GhlAppointmentId
    contact_id: GhlContactId
    base: dict[FieldName, str]
    now: GhlAppointment | None = None
    is_gone: bool = False

    @property
    def status(self) -> str:
        """Return its status in GHL; `deleted` where it was deleted."""
        if self.is_gone:
            return DELETED
        if self.now is None:
            return self.base.get(STATUS, "")
        return DELETED if self.now.deleted else self.now.status

    @property
    def times(self) -> dict[FieldName, str]:
        """Return when it begins and ends in GHL."""
        if self.now is None:
            return {field: self.base.get(field, "") for field in (STARTS_AT, ENDS_AT)}
        return times_of(self.now)


def times_of(appointment: GhlAppointment) -> dict[FieldName, str]:
    """Return an appointment's times as texts."""
    starts_at, ends_at = appointment.starts_at, appointment.ends_at
    return {
        STARTS_AT: moment_text(starts_at) if starts_at else "",
        ENDS_AT: moment_text(ends_at) if ends_at else "",
    }


def texts_of(appointment: GhlAppointment) -> dict[FieldName, str]:
    """Return an appointment's title, address and assignee."""
    return {
        TITLE: appointment.title,
        ADDRESS: appointment.address,
        ASSIGNED_TO: appointment.assigned_to or "",
    }


def moment_text(at: datetime) -> str:
    """Format a time: UTC, whole seconds, as GHL keeps them."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def base_after(action: AppointmentWrite, answer: GhlAppointment) -> dict[FieldName, str]:
    """Return the base after a write.

    The assignee and the texts are taken from GHL's answer only where we just wrote them.
    """
    wrote = {*action.values}
    if isinstance(action, CreateAppointment):
        wrote |= {TITLE, ADDRESS, ASSIGNED_TO}
    return {
        **action.base,
        STATUS: answer.status or action.values.get(STATUS) or action.base.get(STATUS, ""),
        **({GHL_TITLE: answer.title} if TITLE in wrote else {}),
        **({GHL_ADDRESS: answer.address} if ADDRESS in wrote else {}),
        **({ASSIGNED_TO: answer.assigned_to or ""} if ASSIGNED_TO in wrote else {}),
    }


def as_sent(action: AppointmentWrite, found: GhlAppointment) -> GhlAppointment:
    """Return an appointment as it was sent, before anyone changed it in GHL."""
    names = {STATUS: "status", TITLE: "title", ADDRESS: "address"}
    sent = {name: action.values[field] for field, name in names.items() if field in action.values}
    return found.model_copy(update=sent)


def is_shown(values: Mapping[FieldName, str], appointment: GhlAppointment) -> bool:
    """Return whether an appointment shows that these values were sent, all in one request.

    Where one of them is there, the others were edited in GHL since.
    """
    shown = {
        STATUS: DELETED if appointment.deleted else appointment.status,
        **texts_of(appointment),
        **times_of(appointment),
    }
    found = [is_same_text(shown[f], value) for f, value in values.items() if f in shown]
    return any(found) or not found
