"""Notes and tasks are in sync when written, edited, completed, reopened or deleted."""

import pytest

from tests.deliveries import confirmed
from tests.engine.activity_world import DUE, ActivityWorld
from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    COMPLETED,
    TEXT,
    TITLE,
    ActivityKind,
)
from timerex_ghl.domain.shared.models import FieldName

KINDS = ("note", "task")


def words(kind: ActivityKind, text: str) -> dict[str, str]:
    return {"text": text} if kind == "note" else {"title": text}


def shown(kind: ActivityKind, one: dict[str, object]) -> str:
    """Read a note or task in GHL, without the marker."""
    text = str(one["bodyText"] if kind == "note" else one["title"])
    return text.partition("\n\n[")[0]


async def is_quiet(acts: ActivityWorld) -> bool:
    """Process the backlog; return whether that wrote nothing."""
    await acts.calls()
    await acts.process_all()
    return await acts.writes() == []


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_written_here_is_on_the_contact_in_ghl_once(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    contact_id = await acts.person()
    await acts.write(kind, contact_id, **words(kind, "Call back"))

    await acts.process_all()

    assert [shown(kind, one) for one in await acts.there(kind)] == ["Call back"]
    assert len(await acts.all_here(kind)) == 1
    assert await is_quiet(acts)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_written_in_ghl_is_here_once(acts: ActivityWorld, kind: ActivityKind) -> None:
    contact_id = await acts.person()
    body = (
        {"body": "<p>Call <b>back</b></p>"}
        if kind == "note"
        else {"title": "Call back", "dueDate": DUE, "completed": False}
    )
    await acts.in_crm("POST", f"{await acts.crm_id()}/{kind}s", body)

    await acts.process_all()

    (row,) = await acts.all_here(kind)
    assert row.contact_id == contact_id
    assert words(kind, "Call back").items() <= row.values.items()
    assert await is_quiet(acts)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_edit_here_reaches_ghl_with_one_write(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    key = await acts.write(kind, await acts.person(), **words(kind, "Call back"))
    await acts.process_all()
    await acts.calls()

    await acts.edit(key, **words(kind, "Call back today"))
    await acts.process_all()

    assert await acts.writes() == [f"update-{kind}"]
    assert [shown(kind, one) for one in await acts.there(kind)] == ["Call back today"]
    assert await is_quiet(acts)


async def test_an_edit_of_a_note_in_ghl_reaches_the_workspace(acts: ActivityWorld) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()
    edited = {"body": str(note["body"]).replace("back", "back <i>today</i>")}

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", edited)
    await acts.process_all()

    assert (await acts.here(key)).values[TEXT] == "Call back today"
    assert await is_quiet(acts)


async def test_a_task_is_completed_and_opened_again_from_here(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send the offer", body="With prices")
    await acts.process_all()
    await acts.calls()

    await acts.edit(key, completed="true")
    await acts.process_all()
    assert (await acts.tasks())[0]["completed"] is True
    await acts.edit(key, completed="false")
    await acts.process_all()

    assert (await acts.tasks())[0]["completed"] is False
    assert await acts.writes() == ["update-task-completed", "update-task-completed"]


async def test_a_task_completed_in_ghl_is_completed_here(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send", stage="in-progress")
    await acts.process_all()
    (task,) = await acts.tasks()

    path = f"{task['contactId']}/tasks/{task['id']}/completed"
    await acts.in_crm("PUT", path, {"completed": True})
    await acts.process_all()

    row = await acts.here(key)
    assert row.values[COMPLETED] == "true"
    assert "stage" not in row.values
    assert await is_quiet(acts)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_delete_here_is_a_delete_in_ghl(acts: ActivityWorld, kind: ActivityKind) -> None:
    key = await acts.write(kind, await acts.person(), **words(kind, "Call back"))
    await acts.process_all()

    await acts.delete(key)
    await acts.process_all()

    assert await acts.there(kind) == []
    assert await acts.all_here(kind) == []
    assert await is_quiet(acts)


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", KINDS)
async def test_a_delete_in_ghl_leaves_a_tombstone_here(
    acts: ActivityWorld, kind: ActivityKind
) -> None:
    key = await acts.write(kind, await acts.person(), **words(kind, "Call back"))
    await acts.process_all()
    (one,) = await acts.there(kind)

    await acts.in_crm("DELETE", f"{one['contactId']}/{kind}s/{one['id']}")
    await acts.process_all()

    row = await acts.here(key)
    assert row.deleted
    assert words(kind, "Call back").items() <= row.values.items()
    assert await is_quiet(acts)


async def test_both_systems_change_different_fields_and_both_stand(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send", body="Prices")
    await acts.process_all()
    (task,) = await acts.tasks()

    path = f"{task['contactId']}/tasks/{task['id']}/completed"
    await acts.in_crm("PUT", path, {"completed": True})
    await acts.edit(key, title="Send the offer")
    await acts.process_all()

    row = await acts.here(key)
    assert (row.values[TITLE], row.values[COMPLETED]) == ("Send the offer", "true")
    (task,) = await acts.tasks()
    assert (task["title"], task["completed"]) == ("Send the offer", True)
    assert await is_quiet(acts)


async def test_both_systems_change_one_field_and_the_rule_applies(acts: ActivityWorld) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": "In GHL"})
    await acts.edit(key, text="Here")
    await acts.process_all()

    assert (await acts.here(key)).values[TEXT] == "In GHL"
    assert [note["bodyText"] for note in await acts.notes()] == ["In GHL"]
    assert await is_quiet(acts)


async def test_a_delete_wins_over_an_edit(acts: ActivityWorld) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": "In GHL"})
    await acts.delete(key)
    await acts.process_all()

    assert await acts.notes() == []
    assert (await acts.here(key)).deleted
    assert await is_quiet(acts)


async def test_a_note_for_somebody_new_to_ghl_brings_them_along(acts: ActivityWorld) -> None:
    row = await acts.world.add("hana@hinode.example", first_name="Hana")
    await acts.write("note", row.id, text="Met at the fair")

    await acts.process_all()

    notes = await acts.notes("hana@hinode.example")
    assert [shown("note", note) for note in notes] == ["Met at the fair"]


async def test_a_note_of_somebody_new_here_brings_them_along(acts: ActivityWorld) -> None:
    made = await acts.world.ask("POST", "/ghl/contacts", {"email": "hana@hinode.example"})
    await acts.process_all()
    await acts.in_crm("POST", f"{made['contact']['id']}/notes", {"body": "Met at the fair"})

    await acts.process_all()

    (note,) = await acts.all_here("note")
    assert (await acts.world.here(note.contact_id)).contact.values[
        FieldName("email")
    ] == "hana@hinode.example"


async def test_a_task_is_given_to_a_user_by_e_mail(acts: ActivityWorld) -> None:
    user = (
        await acts.world.ask("POST", "/ghl/users", {"name": "Kana", "email": "kana@aoba.example"})
    )["user"]
    key = await acts.write("task", await acts.person(), title="Send", assignee="kana@aoba.example")
    await acts.process_all()

    (task,) = await acts.tasks()
    assert task["assignedTo"] == user["id"]
    assert (await acts.here(key)).values[ASSIGNEE] == "kana@aoba.example"
    assert await is_quiet(acts)


async def test_a_new_task_that_comes_without_its_contact_is_found(acts: ActivityWorld) -> None:
    contact_id = await acts.person()
    await acts.world.ask("POST", "/ghl/webhook", {"task_create_without_contact": True})
    body = {"title": "Call back", "dueDate": DUE, "completed": False}
    await acts.in_crm("POST", f"{await acts.crm_id()}/tasks", body)

    await acts.process_all()

    assert [task.contact_id for task in await acts.all_here("task")] == [contact_id]


async def test_the_note_that_handles_a_booking_is_no_note_of_its_own(acts: ActivityWorld) -> None:
    await acts.world.receive(confirmed())
    await acts.process_all()

    assert len(await acts.notes()) == 1
    assert await acts.all_here("note") == []


@pytest.mark.parametrize(
    "body", ["<p>Call <i>back</i></p>", "Call   back", "<div>Call<br>back</div>"]
)
async def test_a_note_is_not_rewritten_for_its_markup_or_its_marker(
    acts: ActivityWorld, body: str
) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()
    version = (await acts.here(key)).version

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": body})

    assert await is_quiet(acts)
    assert (await acts.here(key)).version == version
    assert [note["body"] for note in await acts.notes()] == [body]


async def test_what_looks_like_markup_stays_text(acts: ActivityWorld) -> None:
    said = "<script>alert(1)</script> & <b>bold</b>"
    key = await acts.write("note", await acts.person(), text=said)

    await acts.process_all()

    (note,) = await acts.notes()
    assert "<script>" not in note["body"]
    assert (await acts.here(key)).values[TEXT] == said
    assert await is_quiet(acts)
