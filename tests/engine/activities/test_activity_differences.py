"""Notes and tasks whose two sides differ for good: nothing is lost, and the reason is shown."""

import pytest

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import NAME, ActivityWorld
from timerex_ghl.adapters.ledger.tables.sync import differences
from timerex_ghl.domain.activities.activity_fields import ASSIGNEE, TITLE


@pytest.mark.both_databases
async def test_an_assignee_whom_ghl_does_not_know_survives_edits_in_both(
    acts: ActivityWorld,
) -> None:
    key = await acts.write("task", await acts.person(), title="Send", assignee="guest@x.example")
    await acts.process_all()
    (task,) = await acts.tasks()

    await acts.in_crm("PUT", f"{task['contactId']}/tasks/{task['id']}", {"title": "Send today"})
    await acts.process_all()
    await acts.edit(key, body="Prices")
    await acts.process_all()

    row, (task,) = await acts.here(key), await acts.tasks()
    assert (row.values[TITLE], row.values[ASSIGNEE]) == ("Send today", "guest@x.example")
    assert (task["body"].partition("\n\n[")[0], task.get("assignedTo")) == ("Prices", None)


async def test_a_person_who_becomes_a_user_of_ghl_gets_the_task(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send", assignee="kana@aoba.example")
    await acts.process_all()
    (link,) = await acts.ledger.read(differences.page_of_differences, NAME)
    assert (link.local_id, link.differences) == (key.id, {ASSIGNEE: "unknown assignee"})

    await acts.world.ask("POST", "/ghl/users", {"name": "Kana", "email": "kana@aoba.example"})
    acts.world.context.users.clock = lambda: float("inf")  # the list of users is old by now
    await sweep(acts, "one")

    assert (await acts.tasks())[0]["assignedTo"]
    assert await acts.ledger.read(differences.page_of_differences, NAME) == []
