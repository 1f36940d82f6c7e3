"""A booking that a webhook told of, and whether TimeRex confirms it."""

from typing import NamedTuple

from timerex_ghl.adapters.ledger import bookings
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.adapters.timerex.polled import is_polled
from timerex_ghl.domain.bookings import correct_booking, fold_booking
from timerex_ghl.domain.errors import NotFoundError, QuarantineError, TimerexGhlError
from timerex_ghl.domain.models import Booking, BookingState, ContactId
from timerex_ghl.engine.context import SyncContext


class BookingSnapshot(NamedTuple):
    """A booking as far as it is known. `verified`: TimeRex's API says the same."""

    booking: Booking
    verified: bool


async def verify_booking(
    context: SyncContext, event: InboxEvent, booking: Booking
) -> BookingSnapshot:
    """Tell how far the booking of an event is to be believed.

    Raises:
        QuarantineError: TimeRex knows no such booking.
    """
    if is_polled(event.dedupe_key):
        return BookingSnapshot(booking, verified=True)
    return await read_back(context, booking)


async def read_back(context: SyncContext, booking: Booking) -> BookingSnapshot:
    """Ask TimeRex about a booking that is new here, where a call is left for that.

    Without an answer the booking counts as it was told, and the poll asks later: TimeRex's webhook
    carries a secret, and a guest's booking does not wait for an outage.

    Raises:
        QuarantineError: TimeRex knows no such booking.
    """
    if context.timerex is None:
        return BookingSnapshot(booking, verified=False)
    if await context.ledger.read(bookings.get_booking, context.connection, booking.id) is not None:
        return BookingSnapshot(booking, verified=False)
    try:
        remote = await context.timerex.get_event(
            booking.id, calendar_name=booking.calendar_name, wait_s=0
        )
    except NotFoundError:
        raise QuarantineError(
            f"TimeRex knows no booking {booking.id}, of which a webhook told: nothing was written."
            " Should it know it by now, replay the event"
        ) from None
    except TimerexGhlError:
        return BookingSnapshot(booking, verified=False)
    return BookingSnapshot(
        fold_booking(booking, remote) or booking, verified=_says_same(booking, remote)
    )


def _says_same(snapshot: Booking, remote: Booking) -> bool:
    """Compare what a forger would change."""
    fields = ("state", "starts_at", "ends_at", "guest_email", "old_id", "new_id")
    return all(getattr(snapshot, field) == getattr(remote, field) for field in fields)


def is_confirmed_by(stored: Booking, remote: Booking) -> bool:
    """Tell whether TimeRex's API says of a booking what we hold of it.

    Of a booking stored before hosts' e-mails were, they are no news.
    """
    if not stored.host_emails:
        remote = remote.model_copy(update={"host_emails": ()})
    return _stands(stored) == _stands(remote) and correct_booking(stored, remote) is None


def merge_snapshot(stored: BookingRow | None, snapshot: BookingSnapshot) -> Booking | None:
    """Take in what was told of a booking; None where it says nothing new.

    What TimeRex's API said counts for more than what a webhook tells, whichever comes first. One
    made here is edited, where one of TimeRex is only told of: its row is what it says, since
    somebody may have edited it after it was read.
    """
    if stored is not None and stored.origin == "workspace":
        return None
    if stored is not None and snapshot.verified:
        return correct_booking(stored.booking, snapshot.booking)
    if stored is not None and stored.verified:
        taken = correct_booking(snapshot.booking, stored.booking) or snapshot.booking
        return None if taken == stored.booking else taken
    return fold_booking(stored.booking if stored else None, snapshot.booking)


def ingested_row(
    stored: BookingRow | None,
    snapshot: BookingSnapshot,
    folded: Booking | None,
    contact_id: ContactId,
) -> BookingRow:
    """Say how a booking stands once it was taken in."""
    known = stored.booking if stored else snapshot.booking
    booking = folded or known
    verified = snapshot.verified and _stands(snapshot.booking) == _stands(booking)
    if folded is None and stored is not None:
        verified = verified or stored.verified
    if stored is None:
        return BookingRow(booking=booking, contact_id=contact_id, verified=verified)
    changes = {"booking": booking, "contact_id": contact_id, "verified": verified}
    return stored.model_copy(update=changes)


def _stands(booking: Booking) -> bool:
    return booking.state is BookingState.CONFIRMED
