"""Retention: deletes events that finished long ago."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState, events
from timerex_ghl.adapters.ledger.tables.operations import review_lookups
from timerex_ghl.domain.shared.models import ConnectionName

KEPT = timedelta(days=35)
"""How long a repeated delivery is recognised. GHL may repeat after three days."""

HEAD = 500
"""Rows per unit of work, so that no webhook waits for it."""

FINAL = tuple(state for state in InboxState if state is not InboxState.WAITING)


def connections_of_inbox(tx: Connection) -> list[str]:
    """List the connections that have events; "" for events of no connection."""
    return list(tx.scalars(select(events.c.connection).distinct()))


def forget_events(tx: Connection, connection: str, state: InboxState, rows: int = HEAD) -> int:
    """Delete events that finished in a state long ago, oldest first; return their number.

    An event that waits for the answer of an open review stays: it will be handled again.

    Args:
        tx: Open transaction.
        connection: The connection's name; "" for events of no connection.
        state: Their final state.
        rows: How many rows to check.
    """
    waiting = review_lookups.waiting_events(tx, ConnectionName(connection))
    head = (
        select(events.c.seq, events.c.finished_at)
        .where(events.c.connection == connection, events.c.state == state)
        .where(events.c.id.not_in(waiting))  # else these would fill the head, and block the others
        .order_by(events.c.seq)
        .limit(rows)
        .subquery()
    )
    old = select(head.c.seq).where(head.c.finished_at < clock.now(tx) - KEPT)
    return tx.execute(delete(events).where(events.c.seq.in_(old))).rowcount
