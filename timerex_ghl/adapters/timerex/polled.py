"""A booking read over TimeRex's REST API, in the envelope of the webhook that never came.

Its key in the inbox is made of what can change of a booking, so that the same state is stored once
however often it is read. It has blanks in it, which no key of a webhook's delivery can have.
"""

import json
from datetime import datetime
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, JsonValue, ValidationError

from timerex_ghl.adapters.timerex.payloads import Payload
from timerex_ghl.adapters.timerex.replies import EventRow, TimerexCalendar, read_event
from timerex_ghl.adapters.timerex.webhooks import CANCELLED, CONFIRMED
from timerex_ghl.domain.models import Booking, BookingId, BookingState, Record

MARK = "polled "
"""What the keys of polled events begin with."""


class Polled(Record):
    """One booking as it stood when it was read.

    Attributes:
        type: As a webhook's: `event_confirmed` or `event_cancelled`.
        body: The envelope, JSON. It holds links that act, as a webhook's does.
    """

    booking: Booking
    type: str
    body: str = Field(repr=False)

    @property
    def dedupe_key(self) -> str:
        """Name this state of the booking."""
        booking = self.booking
        is_over = booking.state is not BookingState.CONFIRMED
        return _key(booking.id, booking.starts_at, booking.ends_at, is_over=is_over)


class _Times(Payload):
    created_at: AwareDatetime | None = None
    canceled_at: AwareDatetime | None = None


class _Envelope(Payload):
    event: _Times


def read_polled(answer: JsonValue, calendar: TimerexCalendar | None) -> Polled:
    """Read GET /events/{id}. The older `event` object inside says less, and is left out."""
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
    """Name the state that a list shows; the same as when the booking itself is read."""
    return _key(row.id, row.starts_at, row.ends_at, is_over=row.cancelled)


def is_polled(dedupe_key: str) -> bool:
    """Tell whether an event of the inbox was read over the API, and not delivered."""
    return dedupe_key.startswith(MARK)


def happened_at(body: str) -> datetime | None:
    """Tell when what a polled event tells of happened; None where TimeRex does not say."""
    try:
        times = _Envelope.model_validate_json(body).event
    except ValidationError:
        return None
    return times.canceled_at or times.created_at


def _key(booking_id: BookingId, starts_at: datetime, ends_at: datetime, *, is_over: bool) -> str:
    state = "over" if is_over else "stands"
    return f"{MARK}{booking_id} {state} {starts_at.timestamp():.0f} {ends_at.timestamp():.0f}"


def _paths_of(url: str | None) -> tuple[str | None, str | None]:
    """Take the last parts of the team's and the calendar's address: `/s/{team}/{calendar}`."""
    parts = urlsplit(url or "").path.strip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else (None, None)
