"""The workspace's notes and tasks: rows, versions, pages, and what is not in sync with GHL."""

from datetime import timedelta
from typing import Any

import pytest

from tests import make
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import StaleVersionError
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import (
    COMPLETED,
    TASK_ID,
    TEXT,
    Activity,
    ActivityId,
    ActivityKey,
    ActivityKind,
)
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef

HINODE = ConnectionName("hinode")
LATER = make.NOW + timedelta(minutes=5)


async def person(ledger: Ledger) -> ContactId:
    row = await ledger.write(
        workspace_contacts.add_contact, NAME, make.contact(), Keys(None, None), make.NOW
    )
    return row.id


async def add(
    ledger: Ledger, contact_id: str, kind: ActivityKind = "note", **more: Any
) -> Activity:
    said = {"text": "Likes tea"} if kind == "note" else {"title": "Call back"}
    values = {FieldName(field): value for field, value in {**said, **more}.items()}
    row = activities.new_activity(kind, ContactId(contact_id), values, make.NOW)
    await ledger.write(activities.add_activities, NAME, [row])
    return row


async def save(ledger: Ledger, row: Activity, *, deleted: bool = False) -> Activity:
    return await ledger.write(activities.save_activity, NAME, row, LATER, deleted=deleted)


async def get(ledger: Ledger, row: Activity) -> Activity | None:
    return await ledger.read(activities.get_activity, NAME, ActivityKey(row.kind, row.id))


async def page(
    ledger: Ledger, kind: ActivityKind = "note", after: ActivityId | None = None, **wanted: Any
) -> list[ActivityId]:
    rows = await ledger.read(
        activities.list_activities, NAME, kind, WantedActivities(**wanted), after
    )
    return [row.id for row in rows]


async def changed(ledger: Ledger, kind: ActivityKind = "note", **since: Any) -> list[ActivityId]:
    return await ledger.read(activities.changed_activities, NAME, kind, **since)


async def link_in_sync(ledger: Ledger, row: Activity) -> None:
    link = Link(
        connection=NAME, kind=row.kind, local_id=row.id, remote_id=f"ghl-{row.id}",
        local_version=row.version,
    )  # fmt: skip
    await ledger.write(links.save_links, [link])


async def test_what_is_added_reads_back_whole(ledger: Ledger) -> None:
    riku = await person(ledger)
    note, task = await add(ledger, riku), await add(ledger, riku, "task", completed="true")

    assert (note.id[:2], task.id[:2], note.version) == ("n_", "t_", 1)
    assert await get(ledger, note) == note
    assert await get(ledger, task) == task
    assert await ledger.read(activities.get_activities, NAME, "note", [note.id, task.id]) == {
        note.id: note
    }


async def test_adding_nothing_writes_nothing(ledger: Ledger) -> None:
    await ledger.write(activities.add_activities, NAME, [])

    assert await page(ledger) == []


async def test_another_connection_has_none_of_it(ledger: Ledger) -> None:
    note = await add(ledger, await person(ledger))

    key = ActivityKey("note", note.id)
    assert await ledger.read(activities.get_activity, HINODE, key) is None
    listed = activities.list_activities, HINODE, "note", WantedActivities()
    assert await ledger.read(*listed) == []


async def test_a_row_that_somebody_else_changed_is_not_written_over(ledger: Ledger) -> None:
    note = await add(ledger, await person(ledger))

    first = await save(ledger, note.model_copy(update={"values": {TEXT: "Likes coffee"}}))

    assert (first.version, first.updated_at, first.created_at) == (2, LATER, make.NOW)
    with pytest.raises(StaleVersionError):
        await save(ledger, note)
    assert await get(ledger, note) == first


async def test_a_tombstone_says_what_it_said_and_is_not_listed(ledger: Ledger) -> None:
    note = await add(ledger, await person(ledger))

    gone = await save(ledger, note, deleted=True)

    assert (gone.deleted, gone.version, gone.values) == (True, 2, note.values)
    assert await get(ledger, note) == gone
    assert await page(ledger) == []


async def test_pages_come_by_id_and_are_chosen_by_what_is_wanted(ledger: Ledger) -> None:
    riku, aoi = await person(ledger), await person(ledger)
    task = await add(ledger, riku, "task", completed="false")
    done = await add(ledger, aoi, "task", completed="true")
    note = await add(ledger, riku, task_id=task.id)
    other = await save(ledger, await add(ledger, aoi))

    both = sorted([note.id, other.id])
    assert await page(ledger) == both
    assert await page(ledger, after=both[0]) == both[1:]
    assert await page(ledger, contact_id=riku) == [note.id]
    assert await page(ledger, task_id=task.id) == [note.id]
    assert await page(ledger, updated_since=LATER) == [other.id]
    assert await page(ledger, "task", completed=True) == [done.id]
    assert await page(ledger, "task", completed=False) == [task.id]


async def test_the_columns_follow_the_values(ledger: Ledger) -> None:
    riku = await person(ledger)
    task, note = await add(ledger, riku, "task"), await add(ledger, riku, task_id="t_1")

    await save(ledger, task.model_copy(update={"values": {**task.values, COMPLETED: "true"}}))
    await save(ledger, note.model_copy(update={"values": {**note.values, TASK_ID: None}}))

    assert await page(ledger, "task", completed=True) == [task.id]
    assert await page(ledger, task_id="t_1") == []


async def test_what_belongs_to_somebody_who_is_gone_is_omitted(ledger: Ledger) -> None:
    riku = await person(ledger)
    await add(ledger, riku)
    await add(ledger, "c_nobody")
    await ledger.write(workspace_contacts.delete_contact, NAME, riku, LATER)

    assert await page(ledger) == []
    assert await changed(ledger) == []


async def test_what_changed_is_what_is_not_in_sync(ledger: Ledger) -> None:
    riku = await person(ledger)
    new, same, edited, gone, never = [await add(ledger, riku) for _ in range(5)]
    task = await add(ledger, riku, "task")
    for row in (same, edited, gone):
        await link_in_sync(ledger, row)
    await save(ledger, edited)
    await save(ledger, gone, deleted=True)
    await save(ledger, never, deleted=True)

    assert {*await changed(ledger)} == {new.id, edited.id, gone.id}
    assert {*await changed(ledger, since=LATER)} == {edited.id, gone.id}
    assert await changed(ledger, "task") == [task.id]


async def test_what_waits_for_a_person_as_it_is_now_is_omitted(ledger: Ledger) -> None:
    note = await add(ledger, await person(ledger))
    await ledger.write(
        reviews.open_review, connection=NAME, kind="refused",
        subject=RecordRef("note", note.id), reason="x",
        detail={}, record_state="1", now=make.NOW,
    )  # fmt: skip
    assert await changed(ledger) == []

    await save(ledger, note)

    assert await changed(ledger) == [note.id]


async def test_all_of_one_person_is_given_to_another(ledger: Ledger) -> None:
    riku, aoi = await person(ledger), await person(ledger)
    note, task = await add(ledger, riku), await add(ledger, riku, "task")
    remote = await add(ledger, aoi)

    assert await ledger.write(activities.move_activities, NAME, riku, aoi) == 2

    assert await page(ledger, contact_id=riku) == []
    assert {*await page(ledger, contact_id=aoi)} == {note.id, remote.id}
    assert await page(ledger, "task", contact_id=aoi) == [task.id]
