"""The ledger's clock: the one that leases, quotas and tokens go by."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select


def now(tx: Connection) -> datetime:
    """Read the clock all processes of this ledger share.

    On PostgreSQL it is the server's, at this moment (not at the transaction's start); an SQLite
    file lies on one machine, whose own clock is shared already.
    """
    if tx.dialect.name == "postgresql":
        return tx.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
    return datetime.now(UTC)
