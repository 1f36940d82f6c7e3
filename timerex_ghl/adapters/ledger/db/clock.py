"""The ledger's clock, used for leases, quotas and tokens."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import Connection, func, select

Clock: TypeAlias = Callable[[], datetime]
"""Returns the time, aware and in UTC. It is called from several threads."""

OPTION = "ledger_clock"
"""Name of the SQLAlchemy execution option that contains the `Clock` to use."""


def now(tx: Connection) -> datetime:
    """Read the clock that all processes of this ledger share.

    On PostgreSQL it is the server's current time (not the transaction's start); an SQLite file is
    on one machine, whose clock all processes share. A ledger opened with a clock uses that one.
    """
    clock: Clock | None = tx.get_execution_options().get(OPTION)
    if clock is not None:
        return clock()
    if tx.dialect.name == "postgresql":
        return tx.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
    return datetime.now(UTC)
