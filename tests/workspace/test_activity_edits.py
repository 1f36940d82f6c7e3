"""Edits of notes and tasks: row, event and audit entry are one unit of work."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests import make
from tests.adapters.database_events import failing_statements
from tests.gateway.given import NAME, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.activities import activities, activity_pages
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.activities.activity_entry import NoteEntry, TaskEntry
from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    COMPLETED,
    STAGE,
    TASK_ID,
    TEXT,
    Activity,
    ActivityId,
    ActivityKey,
)
from timerex_ghl.domain.contacts.contact_entry import EntryError
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import ConnectionName, ContactId
from timerex_ghl.workspace import activity_edits, contact_edits
from timerex_ghl.workspace.edits import Editor, OtherVersionError, UnknownRecordError

KANA = Editor(settings_with(), "token:t_1")
HINODE = Editor(settings_with().model_copy(update={"name": ConnectionName("hinode")}), "token:t_2")
DUE = "2026-02-10T10:00:00+09:00"


async def person(ledger: Ledger, email: str = "riku@hinode.example") -> ContactId:
    row = await ledger.write(
        workspace_contacts.add_contact, NAME, make.contact(email=email), Keys(email, None), make.NOW
    )
    return row.id


async def add_note(ledger: Ledger, contact_id: str, **named: Any) -> Activity:
    given = NoteEntry.model_validate({"text": "Likes tea", **named})
    return await ledger.write(
        activity_edits.add_activity, KANA, ContactId(contact_id), given, make.NOW
    )


async def add_task(ledger: Ledger, contact_id: str, **named: Any) -> Activity:
    given = TaskEntry.model_validate({"title": "Call back", "due_at": DUE, **named})
    return await ledger.write(
        activity_edits.add_activity, KANA, ContactId(contact_id), given, make.NOW
    )


async def change(
    ledger: Ledger, row: Activity, *versions: int, editor: Editor = KANA, **named: Any
) -> Activity:
    entry = (NoteEntry if row.kind == "note" else TaskEntry).model_validate(named)
    return await ledger.write(
        activity_edits.change_activity, editor, row.id, entry, make.NOW, versions=versions or None
    )


async def delete(ledger: Ledger, row: Activity, *versions: int, editor: Editor = KANA) -> None:
    key = ActivityKey(row.kind, row.id)
    await ledger.write(
        activity_edits.delete_activity, editor, key, make.NOW, versions=versions or None
    )


async def read(ledger: Ledger, row: Activity) -> Activity:
    return await ledger.read(activity_edits.read_activity, KANA, ActivityKey(row.kind, row.id))


async def notes_of(ledger: Ledger, **wanted: Any) -> list[ActivityId]:
    rows = await ledger.read(
        activity_pages.page_of_activities, NAME, "note", WantedActivities(**wanted)
    )
    return [row.id for row in rows]


async def stored_events(ledger: Ledger) -> list[tuple[str, ...]]:
    def look(tx: Connection) -> list[tuple[str, ...]]:
        statement = "SELECT source, type, record, dedupe_key, body, state FROM inbox ORDER BY seq"
        return [tuple(row) for row in tx.execute(text(statement))]

    return await ledger.read(look)


def event(row: Activity, version: int | None = None) -> tuple[str, ...]:
    record, at = f"{row.kind}:{row.id}", version or row.version
    return (
        "workspace", f"{row.kind} changed", record, f"{record}:{at}",
        f'{{"version": {at}}}', "waiting",
    )  # fmt: skip


async def test_what_is_added_reads_back_whole_and_waits_to_be_handled(ledger: Ledger) -> None:
    riku = await person(ledger)

    task = await add_task(ledger, riku, assignee="Kana@aoba.example")
    note = await add_note(ledger, riku, task_id=task.id)

    assert (task.contact_id, task.version, task.created_at) == (riku, 1, make.NOW)
    assert task.values[ASSIGNEE] == "kana@aoba.example"
    assert note.values == {TEXT: "Likes tea", TASK_ID: task.id}
    assert await read(ledger, task) == task
    assert await read(ledger, note) == note
    assert await stored_events(ledger) == [event(task), event(note)]


async def test_a_change_touches_what_it_names_and_waits_to_be_handled(ledger: Ledger) -> None:
    task = await add_task(ledger, await person(ledger))

    done = await change(ledger, task, 1, completed=True)
    begun = await change(ledger, done, 2, status="in-progress")

    assert done.values == {**task.values, COMPLETED: "true"}
    assert begun.values == {**task.values, STAGE: "in-progress"}
    assert (begun.version, await read(ledger, task)) == (3, begun)
    assert await stored_events(ledger) == [event(task), event(done), event(begun)]


async def test_a_change_of_nothing_leaves_nothing_behind(ledger: Ledger) -> None:
    riku = await person(ledger)
    task, note = await add_task(ledger, riku), await add_note(ledger, riku)

    same = (
        await change(ledger, task, title=" Call back", body=None, status="open", assignee=""),
        await change(ledger, note, text="Likes tea ", task_id=None),
        await change(ledger, note),
    )

    assert same == (task, note, note)
    assert await stored_events(ledger) == [event(task), event(note)]
    assert len(await ledger.read(audit.entries, NAME, 10)) == 2


async def test_what_is_deleted_is_gone_here_and_travels(ledger: Ledger) -> None:
    note = await add_note(ledger, await person(ledger))

    await delete(ledger, note, 1)

    for work in (lambda: read(ledger, note), lambda: delete(ledger, note)):
        with pytest.raises(UnknownRecordError, match=f"there is no note {note.id}"):
            await work()
    key = ActivityKey("note", note.id)
    stone = await ledger.read(activities.get_activity, NAME, key)
    assert stone == note.model_copy(update={"version": 2, "deleted": True})
    assert await notes_of(ledger) == []
    assert await stored_events(ledger) == [event(note), event(note, 2)]


async def test_the_audit_names_fields_and_the_editor_and_no_value(ledger: Ledger) -> None:
    task = await add_task(ledger, await person(ledger))
    await change(ledger, task, body="canary", assignee="kana@aoba.example")
    await delete(ledger, task)

    entries = await ledger.read(audit.entries, NAME, 10)

    assert [(each.what, each.detail) for each in reversed(entries)] == [
        ("task added", {"by": "token:t_1", "fields": "completed, due_at, title", "version": 1}),
        ("task changed", {"by": "token:t_1", "fields": "assignee, body", "version": 2}),
        ("task deleted", {"by": "token:t_1", "fields": "", "version": 3}),
    ]
    assert {str(each.subject) for each in entries} == {f"task:{task.id}"}


async def test_an_event_that_cannot_be_stored_undoes_the_row(ledger: Ledger) -> None:
    riku = await person(ledger)
    note = await add_note(ledger, riku)

    for work in (
        lambda: add_note(ledger, riku),
        lambda: change(ledger, note, text="Likes coffee"),
        lambda: delete(ledger, note),
    ):
        with (
            failing_statements("INSERT INTO inbox", ZeroDivisionError()),
            pytest.raises(ZeroDivisionError),
        ):
            await work()

    assert await read(ledger, note) == note
    assert await notes_of(ledger) == [note.id]
    assert await stored_events(ledger) == [event(note)]
    assert len(await ledger.read(audit.entries, NAME, 10)) == 1


async def test_an_edit_for_another_version_is_refused_and_reported_which(ledger: Ledger) -> None:
    note = await add_note(ledger, await person(ledger))
    await change(ledger, note, 1, text="Likes coffee")

    for work in (
        lambda: change(ledger, note, 1, 3, text="Likes water"),
        lambda: delete(ledger, note, 1),
    ):
        with pytest.raises(OtherVersionError) as refused:
            await work()
        assert refused.value.version == 2


async def test_nobody_reaches_another_connection_s_notes(ledger: Ledger) -> None:
    note = await add_note(ledger, await person(ledger))

    with pytest.raises(UnknownRecordError):
        await change(ledger, note, text="Likes coffee", editor=HINODE)
    with pytest.raises(UnknownRecordError):
        await delete(ledger, note, editor=HINODE)


async def test_a_note_s_id_is_no_task_s(ledger: Ledger) -> None:
    note = await add_note(ledger, await person(ledger))

    with pytest.raises(UnknownRecordError, match=f"there is no task {note.id}"):
        await change(ledger, note.model_copy(update={"kind": "task"}), completed=True)


async def test_what_belonged_to_somebody_who_is_gone_is_gone_too(ledger: Ledger) -> None:
    riku = await person(ledger)
    note = await add_note(ledger, riku)
    await ledger.write(contact_edits.delete_contact, KANA, riku, make.NOW, versions=None)

    for work in (
        lambda: read(ledger, note),
        lambda: change(ledger, note, text="Likes coffee"),
        lambda: delete(ledger, note),
    ):
        with pytest.raises(UnknownRecordError):
            await work()
    assert await notes_of(ledger) == []


@pytest.mark.parametrize("contact_id", ["c_1", "", "nobody"])
async def test_a_note_of_nobody_is_refused(ledger: Ledger, contact_id: str) -> None:
    with pytest.raises(EntryError, match=r"^contact_id: unknown contact"):
        await add_note(ledger, contact_id)

    assert await stored_events(ledger) == []


async def test_nothing_is_added_to_somebody_who_is_gone(ledger: Ledger) -> None:
    riku = await person(ledger)
    await ledger.write(contact_edits.delete_contact, KANA, riku, make.NOW, versions=None)

    with pytest.raises(EntryError, match=r"^contact_id: unknown contact"):
        await add_task(ledger, riku)


async def test_a_note_belongs_to_a_task_of_the_same_person(ledger: Ledger) -> None:
    riku, aoi = await person(ledger), await person(ledger, "aoi@hinode.example")
    remote, gone = await add_task(ledger, aoi), await add_task(ledger, riku)
    note = await add_note(ledger, riku)
    await delete(ledger, gone)

    for task_id in (remote.id, gone.id, note.id, "t_1"):
        with pytest.raises(EntryError, match=r"^task_id: not a task of this contact"):
            await add_note(ledger, riku, task_id=task_id)
        with pytest.raises(EntryError, match=r"^task_id: not a task of this contact"):
            await change(ledger, note, task_id=task_id)


async def test_the_note_of_a_deleted_task_lives_on_and_belongs_to_none(ledger: Ledger) -> None:
    riku = await person(ledger)
    task = await add_task(ledger, riku)
    note = await add_note(ledger, riku, task_id=task.id)
    assert await notes_of(ledger, task_id=task.id) == [note.id]

    await delete(ledger, task)

    assert (await read(ledger, note)).values[TASK_ID] is None
    assert await notes_of(ledger) == [note.id]
    assert await notes_of(ledger, task_id=task.id) == []
    changed = await change(ledger, note, 1, text="Likes coffee")
    assert changed.values == {TEXT: "Likes coffee", TASK_ID: None}
