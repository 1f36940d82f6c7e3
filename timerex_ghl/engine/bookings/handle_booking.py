"""The handler of one booking: reconcile the guest's contact, and mirror the booking in GHL.

Where its calendar is mapped to one of GHL, the mirror is an appointment; else a note.
"""

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts.withheld_values import withheld_of
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.bookings.booking_merge import fold_booking
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.bookings.verification import BookingSnapshot, says_same
from timerex_ghl.domain.shared.errors import (
    ContactGoneError,
    NotFoundError,
    QuarantineError,
    ReviewNeededError,
    TimerexGhlError,
)
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome, What
from timerex_ghl.engine.bookings.claim_guest import Guest, claim_guest
from timerex_ghl.engine.bookings.mirror_booking import mirror_booking
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.context import SyncContext


async def handle_booking(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring GHL in sync with the booking of a TimeRex event."""
    delivered = read_delivery(event.body.encode()).booking
    if delivered is None:
        return Outcome(what="ignored")
    return await reconcile_booking(context, await _verify(context, event, delivered))


async def handle_edited_booking(context: SyncContext, booking_id: BookingId) -> Outcome:
    """Bring GHL in sync with a booking that was edited in the workspace."""
    row = await context.ledger.read(bookings.get_booking, context.connection, booking_id)
    if row is None:
        return Outcome(what="ignored")
    return await reconcile_booking(context, BookingSnapshot(row.booking, row.verified))


async def reconcile_booking(context: SyncContext, snapshot: BookingSnapshot) -> Outcome:
    """Bring GHL in sync with a booking, whatever its source."""
    async with claim_guest(context, snapshot) as guest:
        outcome = _check_deleted(guest, snapshot.booking)
        if outcome is not None:
            return outcome
        try:
            result = await reconcile_contact(context, guest.claim, guest.known)
        except ContactGoneError:
            if _is_over(guest, snapshot.booking):
                return Outcome(what="ignored")
            raise
        owner = await _owner(context, guest, result.existing_ghl_id)
        mirror_writes = await mirror_booking(
            context, guest.claim, snapshot.booking, guest.mirror, owner
        )
    what: What = (
        guest.ingested if result.outcome.what == "no-op" and not mirror_writes else "applied"
    )
    if result.outcome.what == "review":
        what = "review"
    return Outcome(
        what=what,
        writes=result.outcome.writes + mirror_writes,
        contact_id=result.ghl_id,
        detail={"state": snapshot.booking.state, "verified": snapshot.verified},
    )


def _check_deleted(guest: Guest, booking: Booking) -> Outcome | None:
    """Return the outcome of a booking that no GHL contact can show; None where one can.

    Its guest was deleted in the workspace before GHL had a contact, and is not brought back.

    Raises:
        ReviewNeededError: The booking stands.
    """
    person = guest.known.person
    if not person.row.deleted or person.link is not None:
        return None
    if _is_over(guest, booking):
        return Outcome(what="ignored")
    raise ReviewNeededError(
        f"the guest of booking {booking.id} was deleted in the workspace, and GHL has no contact"
        " for it: link a GHL contact, or drop it",
        kind="gone",
        people=[person.row.id],
    )


def _is_over(guest: Guest, booking: Booking) -> bool:
    """Return whether nothing is to be shown: the booking was cancelled, and its guest deleted."""
    return guest.known.person.row.deleted and booking.state is BookingState.CANCELLED


async def _owner(context: SyncContext, guest: Guest, ghl_id: GhlContactId) -> MirrorOwner:
    """Return the guest's contact after it was reconciled, for the booking's mirror."""
    contact_id = guest.claim.contact_id
    standing = await context.ledger.read(withheld_of, context.connection, [contact_id])
    contact = guest.known.person.row.contact
    return MirrorOwner(ghl_id, contact, frozenset(one.field for one in standing))


async def _verify(context: SyncContext, event: InboxEvent, booking: Booking) -> BookingSnapshot:
    """Return the booking of an event, verified where TimeRex's API confirms it.

    Raises:
        QuarantineError: TimeRex knows no such booking.
    """
    if event.origin == "poll":  # read from that API
        return BookingSnapshot(booking, verified=True)
    return await _read_back(context, booking)


async def _read_back(context: SyncContext, booking: Booking) -> BookingSnapshot:
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
