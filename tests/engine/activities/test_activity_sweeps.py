"""Sweeps find unreported changes: edits and reopenings of tasks, edits of notes, deletes."""

import pytest

from tests.engine.activity_world import DUE, NAME, ActivityWorld
from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync.sweeps import next_people
from timerex_ghl.domain.activities.activity_fields import COMPLETED, KINDS, TEXT, TITLE, ActivityKey
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.sweep import (
    handle_activity_key,
    list_changed_here,
    sweep_notes,
    sweep_tasks,
)
from timerex_ghl.engine.process import process_record
from timerex_ghl.engine.reviews.resolve_review import resolve


async def sweep(acts: ActivityWorld, scan: str, *, dry_run: bool = False) -> list[Outcome]:
    """Do what a run of the flow does."""
    context, keys, more = acts.world.context, list[RecordRef](), True
    while more:
        swept = await sweep_tasks(context, scan, dry_run=dry_run)
        keys, more = [*keys, *swept.keys], swept.more
    people = await acts.ledger.read(next_people, NAME, 100)
    keys += (await sweep_notes(context, people, dry_run=dry_run)).keys
    for kind in KINDS:
        keys += await list_changed_here(context, kind, None)

    async def handle(_context: object, key: RecordRef) -> Outcome:
        return await handle_activity_key(context, key, dry_run=dry_run)

    return [await process_record(context, handle, key) for key in dict.fromkeys(keys)]


async def without_webhooks(acts: ActivityWorld) -> None:
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    await acts.calls()


async def edit_task(acts: ActivityWorld, **changes: object) -> None:
    (task,) = await acts.tasks()
    await acts.in_crm("PUT", f"{task['contactId']}/tasks/{task['id']}", changes)


async def test_an_edit_of_a_task_in_ghl_is_found_with_one_read(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send")
    await acts.process_all()
    await edit_task(acts, title="Send today")
    assert (await acts.here(key)).values[TITLE] == "Send"  # no webhook reports it
    await acts.calls()

    await sweep(acts, "one")

    assert (await acts.here(key)).values[TITLE] == "Send today"
    calls = await acts.calls()
    assert calls.count("get-task") == 1
    assert not [call for call in calls if call.startswith(("create", "update", "delete"))]


async def test_a_task_opened_again_in_ghl_is_open_here(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send", completed="true")
    await acts.process_all()

    await edit_task(acts, completed=False)
    await sweep(acts, "one")

    assert (await acts.here(key)).values[COMPLETED] == "false"


async def test_a_sweep_that_is_tried_again_finds_what_it_found_before(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send")
    await acts.process_all()
    await edit_task(acts, title="Send today")
    order = {"operation": "task-search", "kind": "status", "value": 503, "nth": 2}
    await acts.world.ask("POST", "/ghl/faults", order)
    with pytest.raises(RetryableError):
        await sweep(acts, "one")

    await sweep(acts, "one")

    assert (await acts.here(key)).values[TITLE] == "Send today"


@pytest.mark.both_databases
async def test_what_webhooks_did_not_report_is_found(acts: ActivityWorld) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    await without_webhooks(acts)
    (note,) = await acts.notes()

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": "Call today"})
    await acts.in_crm("POST", f"{note['contactId']}/notes", {"body": "Another"})
    task = {"title": "A task", "dueDate": DUE, "completed": False}
    await acts.in_crm("POST", f"{note['contactId']}/tasks", task)
    await sweep(acts, "one")

    assert (await acts.here(key)).values[TEXT] == "Call today"
    assert sorted(str(row.values[TEXT]) for row in await acts.all_here("note")) == [
        "Another",
        "Call today",
    ]
    assert [row.values[TITLE] for row in await acts.all_here("task")] == ["A task"]


async def test_a_second_sweep_writes_nothing_and_reads_no_record(acts: ActivityWorld) -> None:
    contact_id = await acts.person()
    await acts.write("note", contact_id, text="Call back")
    await acts.write("task", contact_id, title="Send")
    await acts.process_all()
    await sweep(acts, "one")
    await acts.calls()

    await sweep(acts, "two")

    assert sorted({*await acts.calls()}) == ["get-all-notes", "task-search"]


async def test_what_was_deleted_in_ghl_unheard_is_deleted_here(acts: ActivityWorld) -> None:
    contact_id = await acts.person()
    note = await acts.write("note", contact_id, text="Call back")
    task = await acts.write("task", contact_id, title="Send")
    await acts.process_all()
    await without_webhooks(acts)
    person = await acts.crm_id()

    await acts.in_crm("DELETE", f"{person}/notes/{(await acts.notes())[0]['id']}")
    await acts.in_crm("DELETE", f"{person}/tasks/{(await acts.tasks())[0]['id']}")
    await sweep(acts, "one")

    assert (await acts.here(note)).deleted
    assert (await acts.here(task)).deleted


async def test_a_dry_run_changes_neither_side(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send")
    await acts.process_all()
    await edit_task(acts, title="Send today")
    await acts.calls()

    outcomes = await sweep(acts, "one", dry_run=True)

    assert [outcome.what for outcome in outcomes] == ["applied"]
    assert (await acts.here(key)).values[TITLE] == "Send"
    assert await acts.writes() == []
    await sweep(acts, "two")
    assert (await acts.here(key)).values[TITLE] == "Send today"


async def with_tasks(acts: ActivityWorld, number: int) -> None:
    contact_id = await acts.person()
    for each in range(number):
        await acts.write("task", contact_id, title=f"Task {each}")
    await acts.process_all()


async def delete_all_unheard(acts: ActivityWorld) -> None:
    await without_webhooks(acts)
    person = await acts.crm_id()
    for task in await acts.tasks():
        await acts.in_crm("DELETE", f"{person}/tasks/{task['id']}")


async def blocked(acts: ActivityWorld) -> int:
    return len(await acts.ledger.read(pending_deletes.list_deletes, NAME, ["pending"]))


async def test_many_deletes_at_once_wait_for_a_person(acts: ActivityWorld) -> None:
    await with_tasks(acts, 12)
    await delete_all_unheard(acts)

    await sweep(acts, "one")
    await sweep(acts, "two")

    assert await blocked(acts) == 12
    assert len(await acts.all_here("task")) == 12
    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, str(review.subject)) == ("deletes", "deletes:task:ghl")


async def test_deletes_that_a_person_lets_through_are_executed(acts: ActivityWorld) -> None:
    await with_tasks(acts, 12)
    await delete_all_unheard(acts)
    await sweep(acts, "one")
    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)

    await resolve(acts.world.context, review.id, Decision(way=Way.RETRY, by="Kana"))
    await acts.process_all()

    assert await acts.all_here("task") == []
    assert await blocked(acts) == 0


async def test_deletes_that_a_person_refuses_leave_what_is_here(acts: ActivityWorld) -> None:
    await with_tasks(acts, 12)
    await delete_all_unheard(acts)
    await sweep(acts, "one")
    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)

    await resolve(acts.world.context, review.id, Decision(way=Way.DROP, by="Kana"))
    kept = (await acts.all_here("task"))[0]
    await acts.edit(ActivityKey("task", kept.id), title="Still here")
    await acts.process_all()
    await sweep(acts, "two")

    assert len(await acts.all_here("task")) == 12
    assert await acts.tasks() == []
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


@pytest.mark.both_databases
async def test_deletes_that_wait_are_withdrawn_when_the_records_come_back(
    acts: ActivityWorld,
) -> None:
    await with_tasks(acts, 12)
    await without_webhooks(acts)
    person = await acts.crm_id()
    await acts.world.ask("DELETE", f"/ghl/contacts/{person}")
    await sweep(acts, "one")
    assert await blocked(acts) == 12

    await acts.world.ask("POST", f"/ghl/contacts/{person}/restore", {})
    await sweep(acts, "two")

    assert await blocked(acts) == 0
    assert len(await acts.all_here("task")) == len(await acts.tasks()) == 12
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def test_many_deletes_here_wait_for_a_person_too(acts: ActivityWorld) -> None:
    await with_tasks(acts, 12)

    for task in await acts.all_here("task"):
        await acts.delete(ActivityKey("task", task.id))
    await acts.process_all()

    assert len(await acts.tasks()) == 2  # ten need no review
    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)
    assert str(review.subject) == "deletes:task:workspace"
    await resolve(acts.world.context, review.id, Decision(way=Way.RETRY, by="Kana"))
    await acts.process_all()
    assert await acts.tasks() == []
