"""GHL's records besides contacts and notes."""

from typing import Literal, NewType

from pydantic import AwareDatetime

from timerex_ghl.domain.shared.models import GhlContactId, Record

GhlTaskId = NewType("GhlTaskId", str)
GhlAppointmentId = NewType("GhlAppointmentId", str)
GhlCalendarId = NewType("GhlCalendarId", str)
GhlUserId = NewType("GhlUserId", str)

AppointmentStatus = Literal["new", "confirmed", "cancelled", "showed", "noshow", "invalid"]
"""Source: POST /calendars/events/appointments."""


class GhlTask(Record):
    """A task of a contact. GHL returns neither its time of creation nor of change.

    Attributes:
        body: Plain text, whatever markup GHL keeps.
        contact_id: None where a search did not return it.
    """

    id: GhlTaskId
    contact_id: GhlContactId | None
    title: str
    body: str
    due_at: AwareDatetime | None
    completed: bool
    assigned_to: GhlUserId | None


class GhlAppointment(Record):
    """An appointment in a calendar of GHL.

    Attributes:
        status: As GHL returns it: mostly an `AppointmentStatus`; unknown ones are passed through.
        starts_at: None where the answer did not include it, as after a write.
        deleted: It was deleted, and can still be read.
    """

    id: GhlAppointmentId
    calendar_id: GhlCalendarId | None
    contact_id: GhlContactId | None
    title: str
    status: str
    starts_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    assigned_to: GhlUserId | None
    address: str
    deleted: bool = False
    updated_at: AwareDatetime | None = None


class GhlCalendar(Record):
    """A calendar of the location.

    Attributes:
        slot_minutes: How long an appointment is by default; None where GHL does not say.
    """

    id: GhlCalendarId
    name: str
    is_active: bool
    slot_minutes: int | None


class GhlUser(Record):
    """A user of the location. `email` is lower case."""

    id: GhlUserId
    name: str
    email: str
