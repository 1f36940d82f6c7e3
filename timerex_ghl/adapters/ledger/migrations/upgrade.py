"""Running the migrations. Imported only where a ledger is not at `HEAD`: Alembic loads slowly."""

import threading

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE
from timerex_ghl.adapters.ledger.migrations.statistics import write_statistics
from timerex_ghl.domain.shared.errors import SettingsError

_one_at_a_time = threading.Lock()  # Alembic's `op` and `context` are global to the process


def migrate(tx: Connection) -> None:
    """Migrate the tables to this version in the caller's transaction: all or nothing.

    The transaction must exclude other writers: of several processes that start at once, one
    migrates and the others find it done.

    Raises:
        SettingsError: A newer version wrote the ledger.
    """
    settings = config(tx)
    context = MigrationContext.configure(tx, opts={"version_table": VERSION_TABLE})
    found = context.get_current_revision()
    known = {each.revision for each in ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise SettingsError(
            "the ledger was written by a newer version of timerex-ghl: upgrade this installation"
        )
    with _one_at_a_time:
        command.upgrade(settings, "head")
    if tx.dialect.name == "sqlite":
        write_statistics(tx)


def config(tx: Connection) -> Config:
    """Return Alembic's configuration: the revisions' package, and the connection to use."""
    settings = Config()
    settings.set_main_option("script_location", "timerex_ghl.adapters.ledger:migrations")
    settings.attributes["connection"] = tx
    return settings
