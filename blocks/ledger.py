"""The ledger's block: the database of the sync."""

from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.access.secrets import load_key
from timerex_ghl.configuration import home

LEDGER_BLOCK = "ledger"
"""The one name this block is saved under: an installation has one ledger."""


class LedgerStore(Block):
    """Database of the sync. Save it under the name `ledger`.

    Example:
        Load the stored address:
        ```python
        from blocks import LedgerStore

        store = LedgerStore.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "Ledger Store"
    _block_type_slug = "ledger-store"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl(
        "https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls"
    )

    url: SecretStr = Field(
        description="SQLAlchemy URL of the database. On one machine a SQLite file is enough; "
        "PostgreSQL is written postgresql+psycopg://user:password@host/database.",
        examples=["sqlite:////var/lib/timerex-ghl/ledger.db"],
    )

    def open(self, *, in_loop: bool = False) -> AbstractAsyncContextManager[Ledger]:
        """Open the ledger and check that its tables match this version.

        Args:
            in_loop: Write to an SQLite file from the event loop itself: for the live worker.
        """
        return open_ledger(self.url.get_secret_value(), key=load_key(home()), in_loop=in_loop)
