"""How commands reach the records of one connection's workspace."""

import getpass
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

if TYPE_CHECKING:
    from timerex_ghl.adapters.ledger.core import Ledger
    from timerex_ghl.adapters.ledger.edits import Editor

LEDGER = click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")


class Workspace(NamedTuple):
    """An open ledger, and who edits which connection's records in it."""

    ledger: "Ledger"
    editor: "Editor"


@asynccontextmanager
async def opened(
    url: str | None, connection: str | None, way: Literal["cli", "import"] = "cli"
) -> AsyncGenerator[Workspace]:
    """Open the workspace of a connection; without a name, of the only one there is.

    Raises:
        SettingsError: It is not published, or there are several to choose from.
    """
    from timerex_ghl.adapters.home import default_ledger_url
    from timerex_ghl.adapters.ledger import published
    from timerex_ghl.adapters.ledger.core import open_ledger
    from timerex_ghl.adapters.ledger.edits import Editor
    from timerex_ghl.sync.errors import SettingsError

    async with open_ledger(url or default_ledger_url()) as ledger:
        running = {one.settings.name: one for one in await ledger.read(published.all_published)}
        if not running:
            raise SettingsError("no connection is published yet: run timerex-ghl publish NAME")
        if connection is None and len(running) > 1:
            raise SettingsError(f"say --connection NAME: {', '.join(running)}")
        version = next((one for name, one in running.items() if connection in {None, name}), None)
        if version is None:
            raise SettingsError(
                f"connection {connection} is not published: run timerex-ghl publish"
            )
        yield Workspace(ledger, Editor(version.settings, f"{way}:{getpass.getuser()}"))
