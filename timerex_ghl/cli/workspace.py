"""Options and helpers for commands that use one connection's workspace."""

import getpass
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import click

from timerex_ghl.cli.running import run

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from timerex_ghl.adapters.ledger.db.core import Ledger
    from timerex_ghl.workspace.edits import Editor

T = TypeVar("T")
Command = Callable[..., None]

LEDGER = click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")
CONNECTION = click.option(
    "--connection", help="Connection whose workspace is used; optional if only one is published."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per record.")


class Workspace(NamedTuple):
    """An open ledger and the editor of a connection's records in it."""

    ledger: "Ledger"
    editor: "Editor"


@asynccontextmanager
async def opened(
    url: str | None, connection: str | None, way: Literal["cli", "import"] = "cli"
) -> AsyncGenerator[Workspace]:
    """Open the workspace of a connection; without a name, of the only published one.

    Raises:
        SettingsError: It is not published, or no name is given and several are published.
    """
    from timerex_ghl.adapters.ledger.db.core import open_ledger
    from timerex_ghl.adapters.ledger.tables.operations import published
    from timerex_ghl.configuration import default_ledger_url
    from timerex_ghl.domain.shared.errors import SettingsError
    from timerex_ghl.workspace.edits import Editor

    async with open_ledger(url or default_ledger_url()) as ledger:
        running = {one.settings.name: one for one in await ledger.read(published.all_published)}
        if not running:
            raise SettingsError("no connection is published yet: run timerex-ghl publish NAME")
        if connection is None and len(running) > 1:
            raise SettingsError(
                f"several connections: add --connection NAME, one of {', '.join(running)}"
            )
        version = next((one for name, one in running.items() if connection in {None, name}), None)
        if version is None:
            raise SettingsError(
                f"connection {connection} is not published: run timerex-ghl publish"
            )
        yield Workspace(ledger, Editor(version.settings, f"{way}:{getpass.getuser()}"))


class Where(NamedTuple):
    """The connection, ledger and output format given on the command line."""

    connection: str | None
    ledger: str | None
    as_json: bool

    def opened(self) -> AbstractAsyncContextManager[Workspace]:
        """Open the workspace."""
        return opened(self.ledger, self.connection)

    def read(self, reading: "Callable[[Connection, Editor], T]") -> T:
        """Read from the workspace; exit with a message on an expected error."""

        async def read() -> T:
            async with self.opened() as (ledger, editor):
                return await ledger.read(reading, editor)

        return run(read())

    def write(self, edit: "Callable[[Connection, Editor, datetime], T]") -> T:
        """Edit the workspace in one unit of work; exit with a message on an expected error."""
        from timerex_ghl.adapters.ledger.db import clock

        async def write() -> T:
            async with self.opened() as (ledger, editor):
                return await ledger.write(lambda tx: edit(tx, editor, clock.now(tx)))

        return run(write())


def finds(command: Command) -> Command:
    """Add the options --connection and --ledger to a command, passed as `where`."""

    @wraps(command)
    def found(
        *, connection: str | None, ledger: str | None, as_json: bool = False, **typed: Any
    ) -> None:
        command(where=Where(connection, ledger, as_json), **typed)

    return CONNECTION(LEDGER(found))


def reaches(command: Command) -> Command:
    """Add the options of `finds` and --json to a command."""
    return finds(JSON(command))
