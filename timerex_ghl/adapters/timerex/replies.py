"""TimeRex's answers, parsed leniently into domain types.

Source: docs/vendors/timerex.md#rest-api-beta, response examples.
"""

from collections.abc import Callable
from typing import Annotated, Generic, NamedTuple, NewType, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, JsonValue, StringConstraints

from timerex_ghl.adapters.timerex.bookings import booking_of
from timerex_ghl.adapters.timerex.payloads import EventPayload, Flag, Id, Payload, Text
from timerex_ghl.domain.shared.models import Booking, BookingId, Record

PageToken = NewType("PageToken", str)
TeamId = NewType("TeamId", str)
CalendarId = NewType("CalendarId", str)
OneTimeUrlId = NewType("OneTimeUrlId", str)

CONFIRMED, CANCELLED, PENDING = "confirmed", "cancelled", "pending"


def _read_status(value: object) -> object:
    """Read `canceled` as `cancelled`: the portal writes both."""
    return CANCELLED if value == "canceled" else value


Status = Annotated[
    str, BeforeValidator(_read_status), StringConstraints(pattern=r"^(confirmed|cancelled)$")
]
"""Other values are refused: they must not be read as a confirmed booking."""


class User(Record):
    """The user an OAuth app acts for. `name` is the display name."""

    id: str
    name: str | None


class TimerexTeam(Record):
    """A team. `path` is its part of booking URLs; `is_primary`: it is My Space."""

    id: TeamId
    name: str
    path: str | None
    is_primary: bool


class TimerexCalendar(Record):
    """A calendar. `id` is not the last part of its `url`."""

    id: CalendarId
    team_id: TeamId | None
    name: str
    url: str | None
    duration_min: int | None


class EventRow(Record):
    """An event as listed: its times, and whether it is cancelled."""

    id: BookingId
    cancelled: bool
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class OneTimeUrl(Record):
    """A booking URL that works once, for anyone who has it.

    Attributes:
        booking: None until it is booked.
    """

    id: OneTimeUrlId
    url: str = Field(repr=False)
    booking: Booking | None


T = TypeVar("T")


class TimerexPage(NamedTuple, Generic[T]):
    """One page of a list. `next_token`: None on the last page."""

    items: tuple[T, ...]
    next_token: PageToken | None


class _UserReply(Payload):
    id: Id
    display_name: Text = None


class _TeamReply(Payload):
    id: Id
    name: Text = None
    url_path: Text = None
    is_primary: Flag = None


class _CalendarReply(Payload):
    id: Id
    team_id: Text = None
    name: Text = None
    url: Text = None
    duration: int | None = None


class _EventRowReply(Payload):
    id: Id
    status: Status
    start_datetime: AwareDatetime
    end_datetime: AwareDatetime


class _EventReply(EventPayload):
    status: Status


class _OneTimeUrlReply(Payload):
    id: Id
    url: str
    status: Annotated[
        str,
        BeforeValidator(_read_status),
        StringConstraints(pattern=r"^(pending|confirmed|cancelled)$"),
    ]
    event: EventPayload | None = None


class _PageReply(Payload):
    items: list[JsonValue]
    next_token: Text = Field(default=None, alias="nextPageToken")


def read_user(answer: JsonValue) -> User:
    """Parse a user."""
    reply = _UserReply.model_validate(answer)
    return User(id=reply.id, name=reply.display_name)


def read_team(answer: JsonValue) -> TimerexTeam:
    """Parse a team."""
    reply = _TeamReply.model_validate(answer)
    return TimerexTeam(
        id=TeamId(reply.id),
        name=reply.name or "",
        path=reply.url_path,
        is_primary=bool(reply.is_primary),
    )


def read_calendar(answer: JsonValue) -> TimerexCalendar:
    """Parse a calendar."""
    reply = _CalendarReply.model_validate(answer)
    return TimerexCalendar(
        id=CalendarId(reply.id),
        team_id=TeamId(reply.team_id) if reply.team_id else None,
        name=reply.name or "",
        url=reply.url,
        duration_min=reply.duration,
    )


def read_event_row(answer: JsonValue) -> EventRow:
    """Parse a listed event."""
    reply = _EventRowReply.model_validate(answer)
    return EventRow(
        id=BookingId(reply.id),
        cancelled=reply.status == CANCELLED,
        starts_at=reply.start_datetime,
        ends_at=reply.end_datetime,
    )


def read_event(answer: JsonValue, calendar_name: str) -> Booking:
    """Parse a booking, ignoring the older and less complete `event` object inside."""
    reply = _EventReply.model_validate(answer)
    return booking_of(reply, cancelled=reply.status == CANCELLED, calendar_name=calendar_name)


def read_one_time_url(answer: JsonValue) -> OneTimeUrl:
    """Parse a one-time URL and its booking."""
    reply = _OneTimeUrlReply.model_validate(answer)
    booked = None if reply.status == PENDING else reply.event
    cancelled = reply.status == CANCELLED
    booking = booking_of(booked, cancelled=cancelled) if booked else None
    return OneTimeUrl(id=OneTimeUrlId(reply.id), url=reply.url, booking=booking)


def read_page(answer: JsonValue, read: Callable[[JsonValue], T]) -> TimerexPage[T]:
    """Parse a page of a list."""
    reply = _PageReply.model_validate(answer)
    token = PageToken(reply.next_token) if reply.next_token else None
    return TimerexPage(tuple(read(item) for item in reply.items), token)
