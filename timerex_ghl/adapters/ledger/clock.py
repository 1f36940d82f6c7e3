"""The ledger's clock: the one that leases, quotas and tokens go by."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import Connection, func, select

Clock: TypeAlias = Callable[[], datetime]
"""Returns the time, aware and in UTC. It is called from several threads."""

OPTION = "ledger_clock"
"""The execution option of an engine or connection that holds a `Clock` to use."""


def now(tx: Connection) -> datetime:
    """Read the clock all processes of this ledger share.

    On PostgreSQL it is the server's, at this moment (not at the transaction's start); an SQLite
    file lies on one machine, whose own clock is shared already. A ledger that was opened with a
    clock uses that one.
    """
    clock: Clock | None = tx.get_execution_options().get(OPTION)
    if clock is not None:
        return clock()
    if tx.dialect.name == "postgresql":
        return tx.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
    return datetime.now(UTC)
