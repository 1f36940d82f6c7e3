"""Parse and print records, for the commands on bookings, notes and tasks."""

import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from timerex_ghl.cli.running import fail, run
from timerex_ghl.cli.workspace import Where, finds, reaches

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel
    from sqlalchemy import Connection

    from timerex_ghl.workspace.activity_views import NoteView, TaskView
    from timerex_ghl.workspace.booking_views import BookingView
    from timerex_ghl.workspace.edits import Editor

View: TypeAlias = "BookingView | NoteView | TaskView"
V = TypeVar("V", "BookingView", "NoteView | TaskView")
M = TypeVar("M", bound="BaseModel")

WIDTH = 60
"""Characters of a text that a list shows."""


def is_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse a value that cannot be an id."""
    if value is not None and not re.fullmatch(r"[!-~]{0,128}", value):
        raise click.BadParameter(
            "invalid id: expected at most 128 printable ASCII characters without spaces"
        )
    return value


def or_input(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Read a text from standard input if it is given as -."""
    if value != "-":
        return value
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        fail("standard input is not UTF-8")


ID = click.argument("id_", metavar="ID", callback=is_id)


def entered(model: type[M], typed: Mapping[str, object], emptied: Collection[str] = ()) -> M:
    """Parse options as a model: None was not given, "" for a field in `emptied` means None."""
    from pydantic import ValidationError

    named = {field: value for field, value in typed.items() if value is not None}
    none = {field: None for field in emptied if named.get(field) == ""}
    try:
        return model.model_validate({**named, **none})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        fail(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}")


def share(
    group: click.Group,
    kind: str,
    read: "Callable[[Connection, Editor, str], View]",
    delete: "Callable[[Connection, Editor, str, datetime], None]",
    deletes: str,
) -> None:
    """Add the commands to a group that are the same for every kind.

    Args:
        group: The command group of the kind.
        kind: Name of a record of this kind.
        read: Reads a record by its id.
        delete: Deletes a record by its id.
        deletes: Help text of the delete command.
    """

    @group.command(help=f"Print a {kind} in full.")
    @ID
    @reaches
    def show(*, id_: str, where: Where) -> None:
        view = where.read(lambda tx, editor: read(tx, editor, id_))
        for line in [view.model_dump_json()] if where.as_json else _lines_of(view):
            click.echo(line)

    @group.command("delete", help=deletes)
    @ID
    @finds
    def delete_(*, id_: str, where: Where) -> None:
        where.write(lambda tx, editor, now: delete(tx, editor, id_, now))
        click.echo(f"{id_} is deleted")


def say_version(view: View, where: Where) -> None:
    """Print the id and version of a record after an edit."""
    line = f"{view.id} is at version {view.version}"
    click.echo(view.model_dump_json() if where.as_json else line)


def say_pages(
    kind: str,
    where: Where,
    page: "Callable[[Connection, Editor, V | None], list[V]]",
    line_of: "Callable[[V], str]",
) -> None:
    """Print records page by page; each page starts after the last record of the previous one."""

    async def say() -> bool:
        last = None
        async with where.opened() as (ledger, editor):
            while views := await ledger.read(page, editor, last):
                for view in views:
                    click.echo(view.model_dump_json() if where.as_json else line_of(view))
                last = views[-1]
        return last is not None

    if not run(say()) and not where.as_json:
        click.echo(f"no {kind} found")


def line_with(*parts: str, text: str) -> str:
    """Format parts of a record and the beginning of its text as one line."""
    said = _printable(" ".join(text.split()))
    return "  ".join([*parts, said if len(said) <= WIDTH else f"{said[: WIDTH - 1]}…"]).rstrip()


def _lines_of(view: View) -> Iterator[str]:
    """Yield a record in full, one line per field."""
    fields = view.model_dump(mode="json")
    width = max(map(len, fields))
    for field, value in fields.items():
        yield f"{field:<{width}}  {_printable(_text_of(value))}".rstrip()


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    """Drop terminal control characters: some texts come from outside."""
    from timerex_ghl.domain.contacts.contact_entry import is_readable

    return "".join(letter for letter in text if is_readable(letter) and letter != "\r")
