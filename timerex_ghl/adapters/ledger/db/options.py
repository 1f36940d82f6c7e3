"""Options of an open ledger: its clock and its time limits."""

from dataclasses import dataclass

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.clock import Clock

LOCK_WAIT = "lock_wait_s"
"""Name of the SQLAlchemy execution option that contains the `lock_wait_s` to use."""


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """The clock and the time limits of one open ledger.

    Attributes:
        clock: Replaces the clock of the database server (PostgreSQL) or of this machine (SQLite).
        lock_wait_s: How long a transaction waits for the database's lock before it fails.
        transaction_limit_s: A transaction older than this takes no further unit of work:
            other processes wait to write.
    """

    clock: Clock | None = None
    lock_wait_s: float = 30.0
    transaction_limit_s: float = 0.005

    @property
    def for_engine(self) -> dict[str, object]:
        """Return SQLAlchemy's execution options, which every connection of an engine inherits."""
        return {clock.OPTION: self.clock, LOCK_WAIT: self.lock_wait_s}


DEFAULTS = LedgerOptions()
