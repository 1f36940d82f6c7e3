"""Verify a booking that a webhook reported against TimeRex's REST API."""

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.domain.bookings.booking_merge import fold_booking
from timerex_ghl.domain.bookings.verification import BookingSnapshot, says_same
from timerex_ghl.domain.shared.errors import NotFoundError, QuarantineError, TimerexGhlError
from timerex_ghl.domain.shared.models import Booking
from timerex_ghl.engine.context import SyncContext


async def verify_booking(
    context: SyncContext, event: InboxEvent, booking: Booking
) -> BookingSnapshot:
    """Return the booking of an event, verified where TimeRex's API confirms it.

    Raises:
        QuarantineError: TimeRex knows no such booking.
    """
    if event.origin == "poll":  # read from that API
        return BookingSnapshot(booking, verified=True)
    return await read_back(context, booking)


async def read_back(context: SyncContext, booking: Booking) -> BookingSnapshot:
    """Read a booking back from TimeRex that is new to the ledger, if the rate limit allows.

    Without an answer the booking counts as the webhook reported it, and the poll verifies it later:
    TimeRex's webhook has a secret, and a guest's booking does not wait for an outage.

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
            f"a webhook reported booking {booking.id}, which TimeRex does not have: nothing was"
            " written; replay the event once TimeRex has it"
        ) from None
    except TimerexGhlError:
        return BookingSnapshot(booking, verified=False)
    return BookingSnapshot(
        fold_booking(booking, remote) or booking, verified=says_same(booking, remote)
    )
