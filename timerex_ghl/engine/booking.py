"""The sentence of one booking: both sides know the guest, and GHL shows how it stands.

Where its calendar has one in GHL, one appointment shows it; else one note tells it.
"""

from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.guest import claimed_guest
from timerex_ghl.engine.mirror import carry_traces
from timerex_ghl.engine.outcome import Outcome, What
from timerex_ghl.engine.reconcile import bring_level
from timerex_ghl.engine.verify import Told, as_told


async def carry_booking(sides: Sides, event: InboxEvent) -> Outcome:
    """Bring the CRM level with the booking that an event tells of."""
    delivered = read_delivery(event.body.encode()).booking
    if delivered is None:
        return Outcome(what="ignored")
    return await carry_told(sides, await as_told(sides, event, delivered))


async def carry_told(sides: Sides, told: Told) -> Outcome:
    """Bring the CRM level with a booking, whoever told of it."""
    async with claimed_guest(sides, told) as guest:
        level = await bring_level(sides, guest.hold, guest.known)
        told_writes = await carry_traces(sides, guest.hold, told.booking, level.known_ghl_id)
    what: What = guest.learned if level.outcome.what == "no-op" and not told_writes else "applied"
    if level.outcome.what == "review":
        what = "review"
    return Outcome(
        what=what,
        writes=level.outcome.writes + told_writes,
        contact_id=level.ghl_id,
        detail={"state": told.booking.state, "verified": told.verified},
    )
