"""The backlog: inbox events that no live worker is about to process."""

from datetime import timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.sync import locks, outages
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_live

FRESH = timedelta(seconds=60)
"""Events younger than this are left to the live worker, where one is running."""

MOST = 10_000
"""Events that one run takes at most."""


async def list_backlog(context: SyncContext) -> list[EventId]:
    """List the events to be processed now, oldest first, of every kind.

    Without a live worker these are all pending events; else those it already tried or did not take.
    While GHL does not answer, there are none.
    """
    return await context.ledger.read(_read_backlog, context.connection)


def _read_backlog(tx: Connection, connection: ConnectionName) -> list[EventId]:
    if connection in outages.connections_without(tx, "GHL"):
        return []
    now = clock.now(tx)
    is_live = locks.holder_of(tx, lock_of_live()) is not None
    fresh_since = now - FRESH if is_live else None
    return inbox.waiting_events(tx, connection, now, MOST, fresh_since=fresh_since)
