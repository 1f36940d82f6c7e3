"""Maps TimeRex's events, from webhooks and the REST API, to bookings."""

from datetime import UTC
from zoneinfo import ZoneInfo

from timerex_ghl.adapters.timerex.payloads import EventPayload, FormItemPayload
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, FormAnswer

_OWN_QUESTIONS = {"guest_name", "guest_email", "company_name", "guest_comment"}


def booking_of(event: EventPayload, *, cancelled: bool, calendar_name: str = "") -> Booking:
    """Map an event to a booking.

    Args:
        event: The parsed event.
        cancelled: From the webhook's type or the API's status.
        calendar_name: Name of the calendar; missing in the REST API's events.

    Raises:
        OverflowError: A time at the very end of the calendar has no UTC form.
    """
    own = {item.field_type: item for item in reversed(event.form)}  # the first of a type counts
    return Booking(
        id=BookingId(event.id),
        state=_state_of(event, cancelled=cancelled),
        calendar_name=calendar_name,
        calendar_id=event.calendar_id,
        starts_at=event.start_datetime.astimezone(UTC),
        ends_at=event.end_datetime.astimezone(UTC),
        timezone=_zone_of(event.calendar_timezone or event.timezone),
        guest_name=_text_of(own.get("guest_name")),
        guest_email=_text_of(own.get("guest_email")),
        guest_company=_text_of(own.get("company_name")),
        guest_comment=_text_of(own.get("guest_comment")),
        answers=tuple(_answer_of(item) for item in event.form if _is_custom(item)),
        url_params=event.url_params,
        host_names=tuple(host.name for host in event.hosts if host.name),
        host_emails=tuple(host.email.strip().lower() for host in event.hosts if host.email),
        join_url=_join_url_of(event),
        cancellation_reason=event.cancellation_reason,
        old_id=BookingId(event.old_event_id) if event.old_event_id else None,
        new_id=_new_id_of(event),
    )


def _state_of(event: EventPayload, *, cancelled: bool) -> BookingState:
    if not cancelled:
        return BookingState.CONFIRMED
    if event.is_changed or _new_id_of(event):
        return BookingState.MOVED
    return BookingState.CANCELLED


def _new_id_of(event: EventPayload) -> BookingId | None:
    new_id = event.new_event_id or event.new_evnet_id
    return BookingId(new_id) if new_id else None


def _zone_of(name: str | None) -> str:
    """Return the calendar's time zone where this machine knows it, else UTC."""
    try:
        return ZoneInfo(name or "UTC").key
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of the zone database
        return "UTC"


def _is_custom(item: FormItemPayload) -> bool:
    return item.field_type not in _OWN_QUESTIONS


def _answer_of(item: FormItemPayload) -> FormAnswer:
    return FormAnswer(field_type=item.field_type or "", label=item.label or "", value=item.value)


def _text_of(item: FormItemPayload | None) -> str | None:
    return item.value if item and isinstance(item.value, str) else None


def _join_url_of(event: EventPayload) -> str | None:
    video_links = (event.zoom_meeting, event.google_meet_meeting, event.microsoft_teams_meeting)
    return next((meeting.join_url for meeting in video_links if meeting and meeting.join_url), None)
