"""TimeRex's webhook deliveries: authentication and parsing."""

import hashlib
import hmac
from collections.abc import Collection, Sequence

from timerex_ghl.adapters.malformed import malformed
from timerex_ghl.adapters.strict_json import read_json
from timerex_ghl.adapters.timerex.bookings import booking_of
from timerex_ghl.adapters.timerex.payloads import BookingPayload, EnvelopePayload
from timerex_ghl.domain.shared.models import Booking, BookingId, Record

CONFIRMED = "event_confirmed"
CANCELLED = "event_cancelled"
_TYPES = (CONFIRMED, CANCELLED)


class TimerexDelivery(Record):
    """One webhook delivery.

    Attributes:
        type: `event_confirmed`, `event_cancelled`, or an undocumented one.
        booking: None for an unknown type.
        event_id: TimeRex's id of the booking; None where an unknown type has none.
        dedupe_key: Equal for all repetitions of a delivery.
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
    """Return whether the delivery has exactly one token header, with a valid token.

    TimeRex signs nothing: the shared token is the only proof.

    Args:
        headers: As received, including repeated ones.
        header: Name of the token header, in any case.
        digests: SHA-256 of the valid tokens, hex; two during a rotation.
    """
    wanted = header.lower().encode()
    tokens = [value for name, value in headers if name.lower() == wanted]
    if len(tokens) != 1 or not tokens[0]:
        return False
    digest = hashlib.sha256(tokens[0]).hexdigest().encode()
    return any(hmac.compare_digest(digest, known.encode()) for known in digests)


def read_delivery(body: bytes) -> TimerexDelivery:
    """Parse a delivery's body.

    Raises:
        MalformedError: It is not strict JSON, or lacks a required key.
    """
    try:
        document = read_json(body)
        envelope = EnvelopePayload.model_validate(document)
        booking = None
        if envelope.webhook_type in _TYPES:
            booking = booking_of(
                BookingPayload.model_validate(document).event,
                cancelled=envelope.webhook_type == CANCELLED,  # `status` is not to be trusted
                calendar_name=envelope.calendar_name or "",
            )
    except (ValueError, OverflowError) as error:
        raise malformed(error) from None
    event_id = envelope.event.id if envelope.event else None
    return TimerexDelivery(
        type=envelope.webhook_type,
        booking=booking,
        event_id=BookingId(event_id) if event_id else None,
        dedupe_key=f"{event_id or ''}:{envelope.webhook_type}:{hashlib.sha256(body).hexdigest()}",
        team=envelope.team_url_path,
        calendar_path=envelope.calendar_url_path,
    )
