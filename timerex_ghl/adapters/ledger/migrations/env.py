"""Alembic's entry point: runs the revisions on the connection passed to `migrate`."""

import importlib
import pkgutil

from alembic import context

from timerex_ghl.adapters import ledger
from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE
from timerex_ghl.adapters.ledger.schema import metadata

for module in pkgutil.iter_modules(ledger.__path__, f"{ledger.__name__}."):
    importlib.import_module(module.name)  # registers each module's tables in the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
