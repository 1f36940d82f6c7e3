"""A booking that a webhook told of, and whether TimeRex confirms it."""

from typing import NamedTuple

from timerex_ghl.adapters.ledger import bookings
from timerex_ghl.carry.sides import Sides
from timerex_ghl.sync.bookings import fold_booking
from timerex_ghl.sync.errors import NotFoundError, QuarantineError, TimerexGhlError
from timerex_ghl.sync.models import Booking


class Told(NamedTuple):
    """A booking as far as it is known. `verified`: TimeRex's API says the same."""

    booking: Booking
    verified: bool


async def read_back(sides: Sides, booking: Booking) -> Told:
    """Ask TimeRex about a booking that is new here, where a call is left for that.

    Without an answer the booking counts as it was told, and the poll asks later: TimeRex's webhook
    carries a secret, and a guest's booking does not wait for an outage.

    Raises:
        QuarantineError: TimeRex knows no such booking.
    """
    if sides.timerex is None:
        return Told(booking, verified=False)
    if await sides.ledger.read(bookings.get_booking, sides.connection, booking.id) is not None:
        return Told(booking, verified=False)
    try:
        theirs = await sides.timerex.get_event(
            booking.id, calendar_name=booking.calendar_name, wait_s=0
        )
    except NotFoundError:
        raise QuarantineError(
            f"TimeRex knows no booking {booking.id}, of which a webhook told: nothing was written."
            " Should it know it by now, replay the event"
        ) from None
    except TimerexGhlError:
        return Told(booking, verified=False)
    return Told(fold_booking(booking, theirs) or booking, verified=_says_same(booking, theirs))


def _says_same(told: Booking, theirs: Booking) -> bool:
    """Compare what a forger would change."""
    fields = ("state", "starts_at", "ends_at", "guest_email", "old_id", "new_id")
    return all(getattr(told, field) == getattr(theirs, field) for field in fields)
