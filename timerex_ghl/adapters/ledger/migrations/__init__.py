"""Migrations of the ledger's tables.

A new revision is written after its module's table, by `alembic.command.revision(config(tx),
autogenerate=True)` on a migrated ledger, and then cleaned by hand: it uses plain column types, so
that later changes of the modules do not change it. On SQLite prefer adding to rebuilding. Raise
`HEAD` with it. After each upgrade SQLite's planner gets its statistics anew (`statistics.py`).
"""

from sqlalchemy import Connection, column, select, table
from sqlalchemy.exc import DBAPIError

VERSION_TABLE = "ledger_version"

HEAD = "0007"
"""The last revision in `versions`. A constant, so that opening a ledger does not load Alembic."""


_versions = table(VERSION_TABLE, column("version_num"))


def is_at_head(tx: Connection) -> bool:
    """Return whether the tables are exactly those of this version.

    A migration stores its revision in the transaction that creates the tables, so one that did not
    finish leaves no revision.
    """
    try:
        return [*tx.scalars(select(_versions.c.version_num))] == [HEAD]
    except DBAPIError:  # no version table yet; an outage fails again in the migration
        return False
