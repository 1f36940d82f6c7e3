"""An edit that a delete in the other system beats is kept where a person can look it up."""

import pytest

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import NAME, ActivityWorld
from timerex_ghl.adapters.ledger.tables.activities.discarded_edits import list_discarded
from timerex_ghl.domain.activities.activity_fields import TEXT, TITLE
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit

RIKU = "riku@hinode.example"
pytestmark = pytest.mark.both_databases


async def discarded(acts: ActivityWorld) -> list[DiscardedEdit]:
    return await acts.ledger.read(list_discarded, NAME)


async def test_an_edit_here_of_a_note_that_was_deleted_in_ghl_is_kept(acts: ActivityWorld) -> None:
    riku = await acts.person()
    key = await acts.write("note", riku, text="Call back")
    await acts.process_all()
    (note,) = await acts.notes(RIKU)
    await acts.in_crm("DELETE", f"{note['contactId']}/notes/{note['id']}")
    await acts.edit(key, text="Call back on Monday")

    await acts.process_all()

    (edit,) = await discarded(acts)
    assert (edit.kind, edit.id, edit.contact_id, edit.deleted_in) == ("note", key.id, riku, "ghl")
    assert (edit.values, edit.before) == ({TEXT: "Call back on Monday"}, {TEXT: "Call back"})


async def test_an_edit_in_ghl_of_a_task_that_was_deleted_here_is_kept(acts: ActivityWorld) -> None:
    riku = await acts.person()
    key = await acts.write("task", riku, title="Send the offer")
    await acts.process_all()
    (task,) = await acts.tasks(RIKU)
    path = f"{task['contactId']}/tasks/{task['id']}"
    await acts.in_crm("PUT", path, {"title": "Send the new offer"})
    await acts.delete(key)

    await acts.process_all()

    (edit,) = await discarded(acts)
    assert (edit.id, edit.deleted_in) == (key.id, "workspace")
    assert (edit.values, edit.before) == ({TITLE: "Send the new offer"}, {TITLE: "Send the offer"})
    assert await acts.tasks(RIKU) == []


async def test_a_delete_that_discards_nothing_keeps_nothing(acts: ActivityWorld) -> None:
    riku = await acts.person()
    gone_here = await acts.write("note", riku, text="One")
    await acts.write("note", riku, text="Two")
    await acts.process_all()
    await acts.delete(gone_here)
    two = next(note for note in await acts.notes(RIKU) if "Two" in note["bodyText"])
    await acts.in_crm("DELETE", f"{two['contactId']}/notes/{two['id']}")

    await acts.process_all()
    await sweep(acts, "one")

    assert await acts.all_here("note") == []
    assert await discarded(acts) == []
