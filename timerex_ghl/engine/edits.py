"""The handler of local edits: a row of the workspace changed, and GHL follows."""

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.shared.models import BookingId, ContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.bookings.handle_booking import reconcile_booking
from timerex_ghl.engine.contacts.handle_contact import handle_contact
from timerex_ghl.engine.context import SyncContext


async def handle_edit(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring GHL in sync with a row that changed. The current row counts, not the event's body."""
    match event.record:
        case RecordRef("contact", record_id):
            return await handle_contact(context, ContactId(record_id), asks=True)
        case RecordRef("note" | "task" as kind, record_id):
            return await handle_activity(context, ActivityKey(kind, ActivityId(record_id)))
        case RecordRef("booking", record_id):
            return await _handle_booking(context, BookingId(record_id))
        case _:
            return Outcome(what="ignored")


async def _handle_booking(context: SyncContext, booking_id: BookingId) -> Outcome:
    row = await context.ledger.read(bookings.get_booking, context.connection, booking_id)
    if row is None:
        return Outcome(what="ignored")
    return await reconcile_booking(context, BookingSnapshot(row.booking, row.verified))
