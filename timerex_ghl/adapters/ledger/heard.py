"""What has been heard already: of which records events wait, what was stored, and since when."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from timerex_ghl.adapters.ledger.inbox import InboxState, Source, events
from timerex_ghl.sync.models import ConnectionName


def known_keys(
    tx: Connection, connection: ConnectionName, source: Source, keys: Collection[str]
) -> set[str]:
    """Tell which of these deliveries the inbox holds."""
    return set(
        tx.scalars(
            select(events.c.dedupe_key).where(
                events.c.connection == connection,
                events.c.source == source,
                events.c.dedupe_key.in_(keys),
            )
        )
    )


def waiting_records(
    tx: Connection, connection: ConnectionName, records: Collection[str]
) -> set[str]:
    """Tell of which of these records an event waits."""
    return set(
        tx.scalars(
            select(events.c.record).where(
                events.c.connection == connection,
                events.c.state == InboxState.WAITING,
                events.c.record.in_(records),
            )
        )
    )
