"""Commands shared by `timerex-ghl notes` and `timerex-ghl tasks`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.records import entered, is_id, line_with, say_pages, say_version, share
from timerex_ghl.cli.workspace import Where, reaches

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from timerex_ghl.domain.activities.activity_entry import ActivityEntry
    from timerex_ghl.domain.activities.activity_fields import Activity, ActivityKind
    from timerex_ghl.workspace.activity_views import NoteView, TaskView
    from timerex_ghl.workspace.edits import Editor

CONTACT = click.option(
    "--contact", required=True, callback=is_id, help="The contact; cannot be changed later."
)


def share_activities(group: click.Group, kind: "ActivityKind") -> None:
    """Add the commands to a group that are the same for both kinds."""

    @group.command("list", help=f"Print {kind}s by id: version, contact and text.")
    @click.option("--contact", callback=is_id, help="Only those of this contact.")
    @reaches
    def list_(*, contact: str | None, where: Where) -> None:
        _list(kind, contact, where)

    def read(tx: "Connection", editor: "Editor", id_: str) -> "NoteView | TaskView":
        from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey
        from timerex_ghl.workspace.activity_edits import read_activity

        return _view_of(read_activity(tx, editor, ActivityKey(kind, ActivityId(id_))))

    def delete(tx: "Connection", editor: "Editor", id_: str, now: "datetime") -> None:
        from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey
        from timerex_ghl.workspace.activity_edits import delete_activity

        delete_activity(tx, editor, ActivityKey(kind, ActivityId(id_)), now, versions=None)

    share(group, kind, read, delete, f"Delete a {kind} in the workspace and in the CRM.")


def entry_of(kind: "ActivityKind", typed: Mapping[str, str | None]) -> "ActivityEntry":
    """Convert options to an entry: omitted fields stay, an empty one is cleared."""
    from timerex_ghl.domain.activities.activity_entry import NoteEntry, TaskEntry

    model = NoteEntry if kind == "note" else TaskEntry
    return entered(model, typed, emptied=("task_id", "assignee"))


def add(contact: str, entry: "ActivityEntry", where: Where) -> None:
    """Add a note or task to a contact."""
    from timerex_ghl.domain.shared.models import ContactId
    from timerex_ghl.workspace.activity_edits import add_activity

    def edit(tx: "Connection", editor: "Editor", now: "datetime") -> "Activity":
        return add_activity(tx, editor, ContactId(contact), entry, now)

    say_version(_view_of(where.write(edit)), where)


def change(id_: str, entry: "ActivityEntry", where: Where) -> None:
    """Change the fields set in the entry, whatever the record's version."""
    from timerex_ghl.domain.activities.activity_fields import ActivityId
    from timerex_ghl.workspace.activity_edits import change_activity

    def edit(tx: "Connection", editor: "Editor", now: "datetime") -> "Activity":
        return change_activity(tx, editor, ActivityId(id_), entry, now, versions=None)

    say_version(_view_of(where.write(edit)), where)


def _list(kind: "ActivityKind", contact: str | None, where: Where) -> None:
    from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
    from timerex_ghl.adapters.ledger.tables.activities.activity_pages import page_of_activities
    from timerex_ghl.domain.shared.models import ContactId

    wanted = WantedActivities(contact_id=None if contact is None else ContactId(contact))

    def page(
        tx: "Connection", editor: "Editor", last: "NoteView | TaskView | None"
    ) -> "list[NoteView | TaskView]":
        after = None if last is None else last.id
        rows = page_of_activities(tx, editor.connection, kind, wanted, after)
        return [_view_of(row) for row in rows]

    say_pages(kind, where, page, _line_of)


def _line_of(view: "NoteView | TaskView") -> str:
    """Format a note or task as one line: id, version, contact and text."""
    from timerex_ghl.workspace.activity_views import NoteView

    first = (view.id, f"v{view.version}", view.contact_id)
    if isinstance(view, NoteView):
        return line_with(*first, text=view.text)
    due = f"due {view.due_at:%Y-%m-%d %H:%M} UTC" if view.due_at else "no due date"
    return line_with(*first, view.status, due, text=view.title)


def _view_of(row: "Activity") -> "NoteView | TaskView":
    from timerex_ghl.workspace.activity_views import view_of_note, view_of_task

    return view_of_note(row) if row.kind == "note" else view_of_task(row)
