"""Bookings read over TimeRex's REST API, in the form of missed webhook deliveries.

The dedupe key contains what can change in a booking, so that each state is stored once however
often it is read. It contains spaces, which no key of a webhook delivery can contain.
"""

import json
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, JsonValue, ValidationError

from timerex_ghl.adapters.timerex.payloads import Payload
from timerex_ghl.adapters.timerex.replies import EventRow, TimerexCalendar, read_event
from timerex_ghl.adapters.timerex.webhooks import CANCELLED, CONFIRMED
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, Record


class Polled(Record):
    """A snapshot of one booking.

    Attributes:
        type: Like a webhook's: `event_confirmed` or `event_cancelled`.
        body: JSON envelope. Like a webhook's it contains secret links.
    """

    booking: Booking
    type: str
    body: str = Field(repr=False)

    @property
    def dedupe_key(self) -> str:
        """Return the key of this state of the booking."""
        booking = self.booking
        is_over = booking.state is not BookingState.CONFIRMED
        return _key(booking.id, booking.starts_at, booking.ends_at, is_over=is_over)


class _Times(Payload):
    created_at: AwareDatetime | None = None
    canceled_at: AwareDatetime | None = None


class _Envelope(Payload):
    event: _Times


def read_polled(answer: JsonValue, calendar: TimerexCalendar | None) -> Polled:
    """Parse GET /events/{id}, without the older and less complete `event` object inside."""
    name = calendar.name if calendar else ""
    booking = read_event(answer, name)
    if not isinstance(answer, dict):
        raise ValueError("a booking is an object")  # noqa: TRY004  as pydantic says it
    type_ = CONFIRMED if booking.state is BookingState.CONFIRMED else CANCELLED
    url = calendar.url if calendar else None
    team, path = _paths_of(url)
    envelope: dict[str, JsonValue] = {
        "webhook_type": type_,
        "calendar_url_path": path,
        "team_url_path": team,
        "calendar_url": url,
        "calendar_name": name,
        "event": {key: value for key, value in answer.items() if key != "event"},
    }
    return Polled(booking=booking, type=type_, body=json.dumps(envelope, ensure_ascii=False))


def key_of_row(row: EventRow) -> str:
    """Return the key of a listed booking's state, equal to `Polled.dedupe_key`."""
    return _key(row.id, row.starts_at, row.ends_at, is_over=row.cancelled)


def happened_at(body: str) -> datetime | None:
    """Return when a polled booking was cancelled or created; None where it is missing."""
    try:
        times = _Envelope.model_validate_json(body).event
    except ValidationError:
        return None
    return times.canceled_at or times.created_at


def _key(booking_id: BookingId, starts_at: datetime, ends_at: datetime, *, is_over: bool) -> str:
    state = "over" if is_over else "stands"
    return f"polled {booking_id} {state} {starts_at.timestamp():.0f} {ends_at.timestamp():.0f}"


def _paths_of(url: str | None) -> tuple[str | None, str | None]:
    """Return the team's and the calendar's part of a booking URL: `/s/{team}/{calendar}`."""
    parts = urlsplit(url or "").path.strip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else (None, None)
