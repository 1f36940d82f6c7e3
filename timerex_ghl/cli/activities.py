"""What `timerex-ghl notes` and `timerex-ghl tasks` share: options, and list, show and delete."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from timerex_ghl.cli.activity_text import json_of, line_of, lines_of
from timerex_ghl.cli.running import run
from timerex_ghl.cli.workspace import LEDGER, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from timerex_ghl.adapters.ledger.edits import Editor
    from timerex_ghl.sync.activities import Activity, ActivityKind
    from timerex_ghl.sync.activity_entry import ActivityEntry

T = TypeVar("T")
Command = Callable[..., None]


def is_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what can be no id."""
    if value is not None and not re.fullmatch(r"[!-~]{0,128}", value):
        raise click.BadParameter("that is no id")
    return value


CONNECTION = click.option(
    "--connection", help="Whose workspace; may be left out while only one is published."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a record.")
ID = click.argument("id_", metavar="ID", callback=is_id)
CONTACT = click.option("--contact", required=True, callback=is_id, help="Whose it is, for good.")


def reaches(command: Command) -> Command:
    """Let a command say whose workspace, in which ledger, and how to print."""
    return CONNECTION(LEDGER(JSON(command)))


def share(group: click.Group, kind: "ActivityKind") -> None:
    """Give a group the commands that are the same for both kinds."""

    @group.command("list", help=f"Print {kind}s by id: version, contact, and what they say.")
    @click.option("--contact", callback=is_id, help="Only those of this contact.")
    @reaches
    def list_(
        *, contact: str | None, connection: str | None, ledger: str | None, as_json: bool
    ) -> None:
        told = json_of if as_json else line_of
        if not run(_list(kind, contact, connection, ledger, told)) and not as_json:
            click.echo(f"no {kind} here")

    @group.command(help=f"Print a {kind} in full.")
    @ID
    @reaches
    def show(*, id_: str, connection: str | None, ledger: str | None, as_json: bool) -> None:
        row = run(_show(kind, id_, connection, ledger))
        for line in [json_of(row)] if as_json else lines_of(row):
            click.echo(line)

    @group.command(help=f"Delete a {kind} here and in the CRM.")
    @ID
    @CONNECTION
    @LEDGER
    def delete(*, id_: str, connection: str | None, ledger: str | None) -> None:
        run(_delete(kind, id_, connection, ledger))
        click.echo(f"{id_} is deleted")


async def add(
    contact: str, entry: "ActivityEntry", *, connection: str | None, ledger: str | None
) -> "Activity":
    """Add a note or task to a contact."""
    from timerex_ghl.adapters.ledger.activity_edits import add_activity
    from timerex_ghl.sync.models import ContactId

    def edit(tx: "Connection", editor: "Editor", now: datetime) -> "Activity":
        return add_activity(tx, editor, ContactId(contact), entry, now)

    return await _write(connection, ledger, edit)


async def change(
    id_: str, entry: "ActivityEntry", *, connection: str | None, ledger: str | None
) -> "Activity":
    """Change what the entry names, whichever version the record is at."""
    from timerex_ghl.adapters.ledger.activity_edits import change_activity
    from timerex_ghl.sync.activities import ActivityId

    def edit(tx: "Connection", editor: "Editor", now: datetime) -> "Activity":
        return change_activity(tx, editor, ActivityId(id_), entry, now, versions=None)

    return await _write(connection, ledger, edit)


async def _delete(
    kind: "ActivityKind", id_: str, connection: str | None, ledger: str | None
) -> None:
    from timerex_ghl.adapters.ledger.activity_edits import delete_activity
    from timerex_ghl.sync.activities import ActivityId, ActivityKey

    def edit(tx: "Connection", editor: "Editor", now: datetime) -> None:
        delete_activity(tx, editor, ActivityKey(kind, ActivityId(id_)), now, versions=None)

    await _write(connection, ledger, edit)


async def _write(
    connection: str | None,
    url: str | None,
    edit: "Callable[[Connection, Editor, datetime], T]",
) -> T:
    from timerex_ghl.adapters.ledger import clock

    async with opened(url, connection) as (ledger, editor):
        return await ledger.write(lambda tx: edit(tx, editor, clock.now(tx)))


async def _show(
    kind: "ActivityKind", id_: str, connection: str | None, url: str | None
) -> "Activity":
    from timerex_ghl.adapters.ledger.activity_edits import read_activity
    from timerex_ghl.sync.activities import ActivityId, ActivityKey

    async with opened(url, connection) as (ledger, editor):
        return await ledger.read(read_activity, editor, ActivityKey(kind, ActivityId(id_)))


async def _list(
    kind: "ActivityKind",
    contact: str | None,
    connection: str | None,
    url: str | None,
    told: "Callable[[Activity], str]",
) -> bool:
    """Print them page by page; tell whether there was any."""
    from timerex_ghl.adapters.ledger.activities import WantedActivities
    from timerex_ghl.adapters.ledger.activity_pages import page_of_activities
    from timerex_ghl.sync.models import ContactId

    wanted = WantedActivities(contact_id=None if contact is None else ContactId(contact))
    async with opened(url, connection) as (ledger, editor):
        after = None
        while page := await ledger.read(page_of_activities, editor.connection, kind, wanted, after):
            for row in page:
                click.echo(told(row))
            after = page[-1].id
    return after is not None
