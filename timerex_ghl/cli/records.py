"""What the commands for bookings, notes and tasks share: how records are typed and printed."""

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

    from timerex_ghl.adapters.ledger.edits import Editor
    from timerex_ghl.gateway.api.activity_wire import NoteView, TaskView
    from timerex_ghl.gateway.api.booking_wire import BookingView

View: TypeAlias = "BookingView | NoteView | TaskView"
V = TypeVar("V", "BookingView", "NoteView | TaskView")
M = TypeVar("M", bound="BaseModel")

WIDTH = 60
"""How much of a text a list shows."""


def is_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse what can be no id."""
    if value is not None and not re.fullmatch(r"[!-~]{0,128}", value):
        raise click.BadParameter("that is no id")
    return value


def or_input(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Read standard input where - is typed for a text."""
    if value != "-":
        return value
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        fail("what comes on standard input is not UTF-8")


ID = click.argument("id_", metavar="ID", callback=is_id)


def entered(model: type[M], typed: Mapping[str, object], emptied: Collection[str] = ()) -> M:
    """Read what was typed as a model; None was not typed, "" for a field of `emptied` is none."""
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
    """Give a group the commands that are the same for every kind.

    Args:
        group: The commands of the kind.
        kind: What a record is called.
        read: How one is read by its id.
        delete: How one is deleted.
        deletes: What that comes to, for the help.
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
    """Print what an edit came to."""
    line = f"{view.id} is at version {view.version}"
    click.echo(view.model_dump_json() if where.as_json else line)


def say_pages(
    kind: str,
    where: Where,
    page: "Callable[[Connection, Editor, V | None], list[V]]",
    line_of: "Callable[[V], str]",
) -> None:
    """Print records page by page; each page comes after the last record of the one before."""

    async def say() -> bool:
        last = None
        async with where.opened() as (ledger, editor):
            while views := await ledger.read(page, editor, last):
                for view in views:
                    click.echo(view.model_dump_json() if where.as_json else line_of(view))
                last = views[-1]
        return last is not None

    if not run(say()) and not where.as_json:
        click.echo(f"no {kind} here")


def line_with(*parts: str, text: str) -> str:
    """Put parts of a record in one line, and the beginning of a text of it."""
    said = _printable(" ".join(text.split()))
    return "  ".join([*parts, said if len(said) <= WIDTH else f"{said[: WIDTH - 1]}…"]).rstrip()


def _lines_of(view: View) -> Iterator[str]:
    """Give a record in full, a field a line."""
    fields = view.model_dump(mode="json")
    width = max(map(len, fields))
    for field, value in fields.items():
        yield f"{field:<{width}}  {_printable(_text_of(value))}".rstrip()


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    """Leave out what could steer a terminal: not all of it was entered here."""
    from timerex_ghl.domain.contact_entry import is_readable

    return "".join(letter for letter in text if is_readable(letter) and letter != "\r")
