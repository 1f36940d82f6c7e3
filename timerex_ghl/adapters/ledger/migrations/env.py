"""Alembic's entry: run the revisions on the connection that `migrate` was given."""

import importlib
import pkgutil

from alembic import context

from timerex_ghl.adapters import ledger
from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE
from timerex_ghl.adapters.ledger.schema import metadata

for module in pkgutil.iter_modules(ledger.__path__, f"{ledger.__name__}."):
    importlib.import_module(module.name)  # each module's tables join the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
