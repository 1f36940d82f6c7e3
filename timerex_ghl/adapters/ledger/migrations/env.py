"""Alembic's entry point: runs the revisions on the connection passed to `migrate`."""

import importlib
import pkgutil

from alembic import context

from timerex_ghl.adapters.ledger import tables
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE

for module in pkgutil.walk_packages(tables.__path__, f"{tables.__name__}."):
    importlib.import_module(module.name)  # registers each module's tables in the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
