"""The sentence of an edit of ours: a row of the workspace changed, and GHL follows."""

from timerex_ghl.adapters.ledger import bookings
from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.domain.activities import KINDS, ActivityId, ActivityKey
from timerex_ghl.domain.models import BookingId, ContactId
from timerex_ghl.engine.activities.handle_activity import carry_activity
from timerex_ghl.engine.booking import carry_told
from timerex_ghl.engine.contact import carry_contact
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.outcome import Outcome
from timerex_ghl.engine.verify import Told


async def carry_edit(sides: Sides, event: InboxEvent) -> Outcome:
    """Bring GHL level with a row that changed; the row is read, whatever the event says."""
    kind, _, record_id = event.record.partition(":")
    if kind == "contact":
        return await carry_contact(sides, ContactId(record_id), asks=True)
    if kind in KINDS:
        return await carry_activity(sides, ActivityKey(kind, ActivityId(record_id)))
    row = await sides.ledger.read(bookings.get_booking, sides.connection, BookingId(record_id))
    if kind != "booking" or row is None:
        return Outcome(what="ignored")
    return await carry_told(sides, Told(row.booking, row.verified))
