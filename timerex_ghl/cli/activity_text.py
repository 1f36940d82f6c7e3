"""How notes and tasks are typed, and how they are printed."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.running import fail

if TYPE_CHECKING:
    from timerex_ghl.gateway.api.activity_wire import NoteView, TaskView
    from timerex_ghl.sync.activities import Activity, ActivityKind
    from timerex_ghl.sync.activity_entry import ActivityEntry

WIDTH = 60
"""How much of a text a list shows."""


def entry_of(kind: "ActivityKind", typed: Mapping[str, str | None]) -> "ActivityEntry":
    """Read options as an entry: None was not typed, empty means nobody or none, - is the input."""
    from pydantic import ValidationError

    from timerex_ghl.sync.activity_entry import NoteEntry, TaskEntry

    named = {field: _read(text) for field, text in typed.items() if text is not None}
    emptied = {field: None for field in ("task_id", "assignee") if named.get(field) == ""}
    try:
        return (NoteEntry if kind == "note" else TaskEntry).model_validate({**named, **emptied})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        fail(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}")


def say_version(row: "Activity", *, as_json: bool) -> None:
    """Print what an edit came to."""
    click.echo(json_of(row) if as_json else f"{row.id} is at version {row.version}")


def json_of(row: "Activity") -> str:
    """Give a note or task as the API does."""
    return _view_of(row).model_dump_json()


def line_of(row: "Activity") -> str:
    """Give a note or task in one line: id, version, contact, and what it says."""
    view = _view_of(row).model_dump()
    parts = [row.id, f"v{row.version}", row.contact_id]
    if row.kind == "task":
        due = view["due_at"]
        parts += [view["status"], f"due {due:%Y-%m-%d %H:%M} UTC" if due else "never due"]
    said = _printable(" ".join((view.get("text") or view.get("title") or "").split()))
    return "  ".join([*parts, said if len(said) <= WIDTH else f"{said[: WIDTH - 1]}…"])


def lines_of(row: "Activity") -> Iterator[str]:
    """Give a note or task in full, a field a line."""
    for field, value in _view_of(row).model_dump(mode="json").items():
        yield f"{field:<11} {_printable('' if value is None else str(value))}".rstrip()


def _read(text: str) -> str:
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        fail("what comes on standard input is not UTF-8")


def _view_of(row: "Activity") -> "NoteView | TaskView":
    from timerex_ghl.gateway.api.activity_wire import view_of_note, view_of_task

    return view_of_note(row) if row.kind == "note" else view_of_task(row)


def _printable(text: str) -> str:
    """Leave out what could steer a terminal: not all of it was entered here."""
    from timerex_ghl.sync.entry import is_readable

    return "".join(letter for letter in text if is_readable(letter) and letter != "\r")
