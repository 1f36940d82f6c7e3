"""The bookings of the sandbox's TimeRex, and the events they are sent as.

Source: the TimeRex developer portal, webhook reference, ConfirmedEvent and CancelledEvent.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from timerex_ghl.sandbox.core.json_io import Json

HOST: Json = {"id": "c0ffee1234567890abcd", "name": "Mori Kana", "email": "kana@aoba.example"}


def hex_id() -> str:
    """Make an id as TimeRex writes them: 20 hex digits."""
    return secrets.token_hex(10)


def utc_text(at: datetime) -> str:
    """Write `2026-02-10T01:00:00+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class SandboxTeam:
    """A team. The primary one is the user's My Space."""

    name: str
    path: str
    is_primary: bool = False
    role: str = "owner"
    id: str = field(default_factory=hex_id)


@dataclass(frozen=True)
class Question:
    """A question of a calendar's own. Its id prefills it from the URL, and is in no event."""

    field_type: str
    label: str
    required: bool = False
    options: tuple[str, ...] = ()
    id: str = field(default_factory=lambda: secrets.token_hex(4))


@dataclass
class SandboxCalendar:
    """A calendar of a team. `site` is where its booking page is."""

    team: SandboxTeam
    name: str
    duration_min: int = 30
    questions: tuple[Question, ...] = ()
    zone: str = "Asia/Tokyo"
    id: str = field(default_factory=hex_id)
    path: str = field(default_factory=lambda: secrets.token_hex(4))
    site: str = "https://timerex.net"

    @property
    def url(self) -> str:
        """Return the booking page."""
        return f"{self.site}/s/{self.team.path}/{self.path}"


@dataclass
class SandboxBooking:
    """One booking. A reschedule makes a new one and links both."""

    calendar: SandboxCalendar
    form: list[Json]
    starts_at: datetime
    duration_min: int
    url_params: dict[str, str]
    id: str = field(default_factory=hex_id)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    canceled_at: datetime | None = None
    cancellation_reason: str = ""
    old_id: str | None = None
    new_id: str | None = None

    @property
    def ends_at(self) -> datetime:
        """Return the end."""
        return self.starts_at + timedelta(minutes=self.duration_min)


def shared_fields(booking: SandboxBooking) -> Json:
    """Return the fields of both kinds of event. Without hidden parameters the key is absent."""
    calendar = booking.calendar
    zone = ZoneInfo(calendar.zone)
    fields: Json = {
        "id": booking.id,
        "calendar_id": calendar.id,
        "url": calendar.url,
        "duration": booking.duration_min,
        "pre_travel_time": 0,
        "post_travel_time": 15,
        "start_datetime": utc_text(booking.starts_at),
        "end_datetime": utc_text(booking.ends_at),
        "local_start_datetime": booking.starts_at.astimezone(zone).isoformat(timespec="seconds"),
        "local_end_datetime": booking.ends_at.astimezone(zone).isoformat(timespec="seconds"),
        "calendar_timezone": calendar.zone,
        "guest_timezone": calendar.zone,
        "guest_locale": "ja",
        "created_at": utc_text(booking.created_at),
        "hosts": [HOST],
        "form": booking.form,
        "is_changed": booking.old_id is not None or booking.new_id is not None,
    }
    if booking.url_params:
        fields["url_params"] = [{key: value} for key, value in booking.url_params.items()]
    return fields


def confirmed_fields(booking: SandboxBooking) -> Json:
    """Write a confirmed event, with the links that let a guest act."""
    number = int(booking.id[:10], 16) % 10**11
    return {
        **shared_fields(booking),
        "status": 1,
        "host_cancel_url": f"https://timerex.net/schedule/host_cancel/{booking.id}",
        "guest_cancel_url": f"https://timerex.net/schedule/cancel/{booking.id}",
        "guest_reschedule_url": f"https://timerex.net/schedule/change/{booking.id}",
        "online_meeting_provider": "zoom",
        "zoom_meeting": {
            "meeting_id": number,
            "join_url": f"https://zoom.example/j/{number}",
            "password": "482913",
            "host": HOST,
        },
        "is_changed": booking.old_id is not None,
        "old_event_id": booking.old_id,
        "new_event_id": None,
    }


def cancelled_fields(booking: SandboxBooking) -> Json:
    """Write a cancelled event. `new_evnet_id` is spelt as in the portal's sample."""
    return {
        **shared_fields(booking),
        "status": 3,
        "canceled_at": utc_text(booking.canceled_at or booking.created_at),
        "cancellation_reason": booking.cancellation_reason,
        "online_meeting_provider": None,
        "is_changed": booking.new_id is not None,
        "old_event_id": None,
        "new_evnet_id": booking.new_id,
    }


def event_of(booking: SandboxBooking) -> Json:
    """Return the event of a booking's current state."""
    is_cancelled = booking.canceled_at is not None
    return cancelled_fields(booking) if is_cancelled else confirmed_fields(booking)


def api_event(booking: SandboxBooking) -> Json:
    """Write a booking as GET /events/{id} does: `status` in words, and an older shape inside."""
    status = "confirmed" if booking.canceled_at is None else "cancelled"
    return {**event_of(booking), "status": status, "event": older_event(booking)}


def older_event(booking: SandboxBooking) -> Json:
    """Write the shape of one-time URLs: `timezone`, and no calendar."""
    omitted = {
        "calendar_id", "calendar_timezone", "status", "url", "duration", "pre_travel_time",
        "post_travel_time", "guest_timezone", "guest_reschedule_url",
    }  # fmt: skip
    kept = {key: value for key, value in event_of(booking).items() if key not in omitted}
    return {**kept, "timezone": booking.calendar.zone}


def envelope(webhook_type: str, calendar: SandboxCalendar, event: Json) -> Json:
    """Wrap an event as a delivery does."""
    return {
        "webhook_type": webhook_type,
        "calendar_url_path": calendar.path,
        "team_url_path": calendar.team.path,
        "calendar_url": calendar.url,
        "calendar_name": calendar.name,
        "event": event,
    }
