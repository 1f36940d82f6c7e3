"""What is left in the inbox: the events that nobody else is about to carry."""

from datetime import timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import clock, inbox, locks
from timerex_ghl.domain.models import EventId
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.lock_names import lock_of_live

FRESH = timedelta(seconds=60)
"""What came less than this ago is the live worker's, where one is at work."""

MOST = 10_000
"""Events a run takes."""


async def list_backlog(context: SyncContext) -> list[EventId]:
    """List the events to be tried now, oldest first, of every kind.

    Where no live worker is at work, all that wait; else those that it tried already, or left.
    """
    return await context.ledger.read(_read_backlog, context)


def _read_backlog(tx: Connection, context: SyncContext) -> list[EventId]:
    now = clock.now(tx)
    is_live = locks.holder_of(tx, lock_of_live()) is not None
    fresh_since = now - FRESH if is_live else None
    return inbox.waiting_events(tx, context.connection, now, MOST, fresh_since=fresh_since)
