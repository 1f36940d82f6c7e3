"""What becomes of an inbox event: each source tells of its records in its own way."""

from typing import assert_never

from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.engine.booking import handle_booking
from timerex_ghl.engine.contact_inbound import handle_notification
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.edits import handle_edit
from timerex_ghl.engine.outcome import Outcome


async def handle_inbox_event(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring both sides level with what an event tells of, wherever it came from."""
    match event.source:
        case "timerex":
            return await handle_booking(context, event)
        case "ghl":
            return await handle_notification(context, event)
        case "workspace":
            return await handle_edit(context, event)
        case _:
            assert_never(event.source)
