"""What becomes of an inbox event: each source tells of its records in its own way."""

from typing import assert_never

from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.engine.booking import carry_booking
from timerex_ghl.engine.contact_inbound import carry_hint
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.edits import carry_edit
from timerex_ghl.engine.outcome import Outcome


async def carry_inbox_event(sides: Sides, event: InboxEvent) -> Outcome:
    """Bring both sides level with what an event tells of, wherever it came from."""
    match event.source:
        case "timerex":
            return await carry_booking(sides, event)
        case "ghl":
            return await carry_hint(sides, event)
        case "workspace":
            return await carry_edit(sides, event)
        case _:
            assert_never(event.source)
