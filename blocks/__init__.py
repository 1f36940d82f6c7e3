"""Settings and secrets, entered in the Prefect UI; each opens a ready adapter.

A block is a draft: Prefect stores it without running our checks. `publish-connection` checks it and
makes the version everything runs on.
"""

from blocks.connection import Connection
from blocks.ghl import GHLCredentials
from blocks.ledger import LedgerStore
from blocks.mapping import FieldMapping
from blocks.timerex import TimeRexCredentials

__all__ = ["Connection", "FieldMapping", "GHLCredentials", "LedgerStore", "TimeRexCredentials"]
