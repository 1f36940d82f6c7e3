"""TimeRex's webhook: who sent it, and which booking it tells of."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from timerex_ghl.adapters.timerex.payloads import (
    BookingPayload,
    EnvelopePayload,
    EventPayload,
    FormItemPayload,
)
from timerex_ghl.adapters.timerex.strict_json import read_json
from timerex_ghl.sync.errors import SkippableError
from timerex_ghl.sync.models import Answer, Booking, BookingId, BookingState, Record

CONFIRMED = "event_confirmed"
CANCELLED = "event_cancelled"
_TYPES = (CONFIRMED, CANCELLED)
_OWN_QUESTIONS = {"guest_name", "guest_email", "company_name", "guest_comment"}


class MalformedError(SkippableError):
    """A delivery that cannot be a booking. The message names what is missing, never a value."""


class Delivery(Record):
    """One webhook delivery.

    Attributes:
        type: `event_confirmed`, `event_cancelled`, or one that nobody documented yet.
        booking: None for a type we do not know.
        event_id: TimeRex's id of the booking; None where a type we do not know has none.
        dedupe_key: The same for every repetition of a delivery.
        team: Last part of the team's URL; None where it was not sent.
        calendar_path: Last part of the calendar's URL, unique within the team.
    """

    type: str
    booking: Booking | None
    event_id: BookingId | None
    dedupe_key: str
    team: str | None
    calendar_path: str | None


def is_authentic(
    headers: Sequence[tuple[bytes, bytes]], header: str, digests: Collection[str]
) -> bool:
    """Tell whether the one header with the token carries a token we know.

    TimeRex signs nothing: the shared token is all there is.

    Args:
        headers: As received, repetitions included.
        header: Its name, in any case.
        digests: SHA-256 of the valid tokens, hex; two during a rotation.
    """
    wanted = header.lower().encode()
    tokens = [value for name, value in headers if name.lower() == wanted]
    if len(tokens) != 1 or not tokens[0]:
        return False
    digest = hashlib.sha256(tokens[0]).hexdigest().encode()
    return any(hmac.compare_digest(digest, known.encode()) for known in digests)


def read_delivery(body: bytes) -> Delivery:
    """Read a delivery's body.

    Raises:
        MalformedError: It is not strict JSON, or lacks what a booking cannot do without.
    """
    try:
        document = read_json(body)
        envelope = EnvelopePayload.model_validate(document)
        booking = None
        if envelope.webhook_type in _TYPES:
            booking = _booking_of(envelope, BookingPayload.model_validate(document).event)
    except ValidationError as error:
        raise MalformedError(f"delivery refused: {_faults(error)}") from None
    except (ValueError, OverflowError):  # the year 1 or 9999 may have no UTC form
        raise MalformedError("delivery refused: not strict JSON, or a time out of range") from None
    event_id = envelope.event.id if envelope.event else None
    return Delivery(
        type=envelope.webhook_type,
        booking=booking,
        event_id=BookingId(event_id) if event_id else None,
        dedupe_key=f"{event_id or ''}:{envelope.webhook_type}:{hashlib.sha256(body).hexdigest()}",
        team=envelope.team_url_path,
        calendar_path=envelope.calendar_url_path,
    )


def _faults(error: ValidationError) -> str:
    """Name every key that is missing or unusable: names of our models, never of the body."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the body'} "
        f"{'is missing' if fault['type'] == 'missing' else 'is not usable'}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    )


def _booking_of(envelope: EnvelopePayload, event: EventPayload) -> Booking:
    own = {item.field_type: item for item in reversed(event.form)}  # the first of a kind counts
    return Booking(
        id=BookingId(event.id),
        state=_state_of(envelope.webhook_type, event),
        calendar_name=envelope.calendar_name or "",
        calendar_id=event.calendar_id,
        starts_at=event.start_datetime.astimezone(UTC),
        ends_at=event.end_datetime.astimezone(UTC),
        timezone=_zone_of(event.calendar_timezone),
        guest_name=_text_of(own.get("guest_name")),
        guest_email=_text_of(own.get("guest_email")),
        guest_company=_text_of(own.get("company_name")),
        guest_comment=_text_of(own.get("guest_comment")),
        answers=tuple(_answer_of(item) for item in event.form if _is_custom(item)),
        url_params=event.url_params,
        host_names=tuple(host.name for host in event.hosts if host.name),
        join_url=_join_url_of(event),
        cancellation_reason=event.cancellation_reason,
        old_id=BookingId(event.old_event_id) if event.old_event_id else None,
        new_id=_new_id_of(event),
    )


def _state_of(webhook_type: str, event: EventPayload) -> BookingState:
    """Decide on the type alone: `status` differs between the samples and real deliveries."""
    if webhook_type == CONFIRMED:
        return BookingState.CONFIRMED
    if event.is_changed or _new_id_of(event):
        return BookingState.MOVED
    return BookingState.CANCELLED


def _new_id_of(event: EventPayload) -> BookingId | None:
    new_id = event.new_event_id or event.new_evnet_id
    return BookingId(new_id) if new_id else None


def _zone_of(name: str | None) -> str:
    """Take the calendar's zone where this machine knows it too, UTC otherwise."""
    try:
        return ZoneInfo(name or "UTC").key
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of the zone database
        return "UTC"


def _is_custom(item: FormItemPayload) -> bool:
    return item.field_type not in _OWN_QUESTIONS


def _answer_of(item: FormItemPayload) -> Answer:
    return Answer(field_type=item.field_type or "", label=item.label or "", value=item.value)


def _text_of(item: FormItemPayload | None) -> str | None:
    return item.value if item and isinstance(item.value, str) else None


def _join_url_of(event: EventPayload) -> str | None:
    meetings = (event.zoom_meeting, event.google_meet_meeting, event.microsoft_teams_meeting)
    return next((meeting.join_url for meeting in meetings if meeting and meeting.join_url), None)
