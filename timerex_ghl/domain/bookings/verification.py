"""What TimeRex's API and a webhook say of the same booking, and which of them counts."""

from typing import NamedTuple

from timerex_ghl.domain.bookings.booking_merge import correct_booking, fold_booking
from timerex_ghl.domain.shared.models import Booking, BookingRow, BookingState, ContactId


class BookingSnapshot(NamedTuple):
    """A booking as one source reported it. `verified`: TimeRex's API says the same."""

    booking: Booking
    verified: bool


def says_same(snapshot: Booking, remote: Booking) -> bool:
    """Compare what a forger would change."""
    fields = ("state", "starts_at", "ends_at", "guest_email", "old_id", "new_id")
    return all(getattr(snapshot, field) == getattr(remote, field) for field in fields)


def is_confirmed_by(stored: Booking, remote: Booking) -> bool:
    """Return whether TimeRex's API agrees with the stored booking.

    Host e-mails are not compared where the booking was stored without them.
    """
    if not stored.host_emails:
        remote = remote.model_copy(update={"host_emails": ()})
    return _stands(stored) == _stands(remote) and correct_booking(stored, remote) is None


def merge_snapshot(stored: BookingRow | None, snapshot: BookingSnapshot) -> Booking | None:
    """Merge a snapshot into the stored booking; None where it says nothing new.

    TimeRex's API overrides a webhook, whichever comes first. A booking made in the workspace never
    changes by a snapshot: its row may have been edited after the snapshot was read.
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
    """Build the row of an ingested booking."""
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
