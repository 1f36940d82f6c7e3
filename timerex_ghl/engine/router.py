"""Route an inbox event to the handler of its source."""

from typing import assert_never

from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.bookings.handle_booking import handle_booking
from timerex_ghl.engine.contacts.contact_inbound import handle_notification
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.edits import handle_edit


async def handle_inbox_event(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring the workspace and GHL in sync with an event, whatever its source."""
    match event.source:
        case "timerex":
            return await handle_booking(context, event)
        case "ghl":
            return await handle_notification(context, event)
        case "workspace":
            return await handle_edit(context, event)
        case _:
            assert_never(event.source)
