"""The handler of one booking: reconcile the guest's contact, and mirror the booking in GHL.

Where its calendar is mapped to one of GHL, the mirror is an appointment; else a note.
"""

from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.shared.outcome import Outcome, What
from timerex_ghl.engine.bookings.claim_guest import claim_guest
from timerex_ghl.engine.bookings.mirror_booking import mirror_booking
from timerex_ghl.engine.bookings.verify_booking import verify_booking
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.context import SyncContext


async def handle_booking(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring GHL in sync with the booking of a TimeRex event."""
    delivered = read_delivery(event.body.encode()).booking
    if delivered is None:
        return Outcome(what="ignored")
    return await reconcile_booking(context, await verify_booking(context, event, delivered))


async def reconcile_booking(context: SyncContext, snapshot: BookingSnapshot) -> Outcome:
    """Bring GHL in sync with a booking, whatever its source."""
    async with claim_guest(context, snapshot) as guest:
        result = await reconcile_contact(context, guest.claim, guest.known)
        mirror_writes = await mirror_booking(
            context, guest.claim, snapshot.booking, result.existing_ghl_id
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
