"""What people enter about a booking that was made in the workspace, not in TimeRex."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from timerex_ghl.domain.contacts.contact_entry import (
    MAX_CHOICES,
    MAX_LINE,
    MAX_TEXT,
    EntryError,
    FieldFault,
    is_readable,
)
from timerex_ghl.domain.shared.models import Booking, Record

_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=31)
NEEDED = ("starts_at", "ends_at", "timezone")
"""Required fields of a new booking."""


def _readable(text: str) -> str:
    if not is_readable(text):
        raise ValueError("has a character that cannot be shown")
    return text


def _only_text(value: object) -> object:
    """Refuse a bare number as a time, also 20260210: it would count as seconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and not _is_number(value)):
        return value
    raise ValueError("must be written like 2026-02-10T10:00:00+09:00")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _in_utc(at: datetime) -> datetime:
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError(f"lies outside {_EARLIEST.year} to {_LATEST.year}")
    return at.astimezone(UTC)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone: enter an IANA name, for example Asia/Tokyo") from None


Line = Annotated[str, Field(max_length=MAX_LINE), AfterValidator(_readable)]
Email = Annotated[Line, AfterValidator(lambda email: email.strip().lower())]
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_readable)]
When = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_in_utc)]
Zone = Annotated[str, Field(max_length=64), AfterValidator(_readable), AfterValidator(_zone)]


class AnswerEntry(Record):
    """A question that was asked when booking, and its answer. `label` is the question."""

    label: Line
    value: Line | Annotated[tuple[Line, ...], Field(max_length=MAX_CHOICES)]


class BookingEntry(Record):
    """What can be entered for a booking of the workspace. Fields not named stay as they are.

    Attributes:
        calendar_name: What was booked; the title of the note or appointment in the CRM.
        timezone: IANA name; the note shows the times in it.
        host_emails: A GHL user with one of them gets the appointment.
    """

    state: Literal["confirmed", "cancelled"] | None = None
    starts_at: When | None = None
    ends_at: When | None = None
    timezone: Zone | None = None
    calendar_name: Line | None = None
    guest_name: Line | None = None
    guest_email: Line | None = None
    guest_company: Line | None = None
    guest_comment: Text | None = None
    host_names: Annotated[tuple[Line, ...], Field(max_length=MAX_CHOICES)] | None = None
    host_emails: Annotated[tuple[Email, ...], Field(max_length=MAX_CHOICES)] | None = None
    join_url: Line | None = None
    cancellation_reason: Text | None = None
    answers: Annotated[tuple[AnswerEntry, ...], Field(max_length=MAX_CHOICES)] | None = None


_NEVER_EMPTY = ("state", *NEEDED)
_EMPTIED: dict[str, object] = {
    "calendar_name": "",
    "host_names": (),
    "host_emails": (),
    "answers": (),
}
"""The empty value of fields that cannot be None."""


def enter_booking(booking: Booking, entry: BookingEntry) -> Booking:
    """Return a booking after an entry is applied.

    Raises:
        EntryError: It would have no time, or end before it starts.
    """
    named = entry.model_dump(exclude_unset=True)
    for answer in named.get("answers") or ():
        answer["field_type"] = ""
    faults = [
        FieldFault(field, "cannot be emptied") for field in _NEVER_EMPTY if _empties(named, field)
    ]
    if faults:
        raise EntryError(faults)
    values = {
        field: _EMPTIED.get(field) if _is_blank(value) else value for field, value in named.items()
    }
    entered = Booking.model_validate({**booking.model_dump(), **values})
    if not timedelta() < entered.ends_at - entered.starts_at <= _LONGEST:
        raise EntryError(
            [FieldFault("ends_at", f"must be after starts_at, by {_LONGEST.days} days at most")]
        )
    return entered


def _empties(named: Mapping[str, object], field: str) -> bool:
    return field in named and named[field] is None


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
