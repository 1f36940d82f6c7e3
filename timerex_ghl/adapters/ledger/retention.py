"""What the ledger forgets: events that ended long ago."""

from datetime import timedelta

from sqlalchemy import Connection, delete, literal, select

from timerex_ghl.adapters.ledger import clock
from timerex_ghl.adapters.ledger.inbox import InboxState, events
from timerex_ghl.adapters.ledger.reviews import is_asked_about

KEPT = timedelta(days=35)
"""So long a repeated delivery is known to be one. GHL may repeat after three days."""

HEAD = 500
"""Rows a unit of work looks at, so that no webhook waits for it."""

FINAL = tuple(state for state in InboxState if state is not InboxState.WAITING)


def connections_of_inbox(tx: Connection) -> list[str]:
    """List whose events there are; "" stands for those of no connection."""
    return list(tx.scalars(select(events.c.connection).distinct()))


def forget_events(tx: Connection, connection: str, state: InboxState, rows: int = HEAD) -> int:
    """Forget events that ended in a state long ago, the oldest first; tell how many those were.

    An event that a person is asked about stays: it may have to be carried again.

    Args:
        tx: The open connection.
        connection: Whose events.
        state: The state they ended in.
        rows: How many of them to look at.
    """
    head = (
        select(events.c.seq, events.c.id, events.c.finished_at)
        .where(events.c.connection == connection, events.c.state == state)
        .order_by(events.c.seq)
        .limit(rows)
        .subquery()
    )
    old = select(head.c.seq).where(
        head.c.finished_at < clock.now(tx) - KEPT,
        ~is_asked_about("event:", literal(connection), head.c.id),
    )
    return tx.execute(delete(events).where(events.c.seq.in_(old))).rowcount
