"""Cost of syncing 20,000 tasks and the notes of 10,000 contacts, in calls to the CRM.

    python -m benchmarks.activity_cost [contacts] [tasks] [changed]

Counted from the sandbox's log of calls. Each sweep reads every task, and as many contacts' notes as
the hourly call budget allows. A third of the changes reopens or completes tasks, the rest edits
them; without webhooks, so that only the sweep can find them.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any

from benchmarks.harness import Stand, ledger_url, machine, peak_memory_mb, say, started_sandbox
from tasks.activities import PEOPLE
from tests.engine.activity_world import DUE, NAME, ActivityWorld, opened_activities
from timerex_ghl.adapters.ghl.tasks import TASK_PAGE
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.sync import sweeps
from timerex_ghl.domain.activities.activity_fields import ActivityKey
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.sweep import (
    handle_activity_key,
    list_changed_here,
    sweep_notes,
    sweep_tasks,
)
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.process import process_record
from timerex_ghl.orchestration.batches import at_once, each

AT_ONCE = 16
"""Concurrent calls that create the tasks."""


async def fill(stand: Stand, acts: ActivityWorld, contacts: int, tasks: int) -> list[str]:
    """Add invented contacts with tasks; return the paths of the tasks."""
    await stand.api.send("POST", "/ghl/bulk", {"count": contacts})
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    people = [one["id"] for one in await acts.world.crm()]
    await acts.world.sync()
    gate = asyncio.Semaphore(AT_ONCE)

    async def make(number: int) -> str:
        owner = people[number % len(people)]
        body = {"title": f"Task {number}", "dueDate": DUE, "completed": number % 3 == 0}
        async with gate:
            made = await acts.in_crm("POST", f"{owner}/tasks", body)
        return f"{owner}/tasks/{made['task']['id']}"

    return await asyncio.gather(*(make(number) for number in range(tasks)))


async def sweep(acts: ActivityWorld, scan: str) -> dict[str, Any]:
    """Sweep all tasks and reconcile the differences; return the cost."""
    await acts.world.ask("DELETE", "/ghl/calls")
    context, more, keys, began = acts.world.context, True, list[RecordRef](), time.perf_counter()
    while more:
        swept = await sweep_tasks(context, scan, dry_run=False)
        keys, more = [*keys, *swept.keys], swept.more
    keys += await list_changed_here(context, "task", None)
    handle = partial(process_record, context, partial(handle_activity_key, dry_run=False))
    await each(handle, keys, at_once(context))
    took = time.perf_counter() - began
    calls = Counter(
        call["operation"] for call in (await acts.world.ask("GET", "/ghl/calls"))["calls"]
    )
    return {"calls": dict(calls), "all_calls": calls.total(), "seconds": round(took, 1)}


async def change_there(acts: ActivityWorld, paths: list[str]) -> None:
    """Edit tasks in the CRM."""
    for number, path in enumerate(paths):
        if number % 3:
            await acts.in_crm("PUT", path, {"title": f"Edited {number}"})
        else:
            await acts.in_crm("PUT", f"{path}/completed", {"completed": number % 2 == 0})


async def change_here(acts: ActivityWorld, number: int) -> None:
    """Edit tasks in the workspace."""
    for row in (await acts.all_here("task"))[:number]:
        await acts.edit(ActivityKey("task", row.id), title=f"Edited here {row.id}")


async def measure_tasks(acts: ActivityWorld, paths: list[str], changed: int) -> None:
    """Measure sweeps of all tasks."""
    pages = ceil(len(paths) / TASK_PAGE)
    say(part="first sweep", tasks=len(paths), pages=pages, **await sweep(acts, "first"))
    say(part="nothing changed", pages=pages, **await sweep(acts, "quiet"))
    await change_there(acts, paths[:changed])
    cost = await sweep(acts, "theirs")
    say(part="changed in the CRM", changed=changed, bar=2 * changed + pages, **cost)
    await change_here(acts, changed)
    cost = await sweep(acts, "ours")
    say(part="changed here", changed=changed, bar=2 * changed + pages, **cost)
    say(part="nothing changed again", pages=pages, **await sweep(acts, "still"))


async def measure_notes(acts: ActivityWorld) -> None:
    """Sweep notes for an hour of runs without pauses, within the hourly call budget."""
    context, runs, calls = acts.world.context, list[int](), 0
    await acts.world.ask("DELETE", "/ghl/calls")
    for _ in range(5):
        most = await acts.ledger.read(call_budget.budget_of, context, utc_now())
        people = await acts.ledger.read(sweeps.next_people, NAME, most)
        for start in range(0, len(people), PEOPLE):
            part = people[start : start + PEOPLE]
            await sweep_notes(context, part, dry_run=False)
            await acts.ledger.write(
                call_budget.spend, context.connection, len(part), datetime.now(UTC)
            )
        runs.append(len(people))
    calls = len((await acts.world.ask("GET", "/ghl/calls"))["calls"])
    late = await acts.ledger.read(call_budget.lateness, context)
    hours = None if late.notes is None else round(late.notes.total_seconds() / 3600, 1)
    allowed = context.settings.activities.note_calls_per_hour
    say(
        part="notes", calls_per_hour=allowed, runs=runs, calls=calls,
        people=late.people, stale_at_most_h=hours,
    )  # fmt: skip


async def main(contacts: int, tasks: int, changed: int) -> None:
    """Fill both sides once, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            started_sandbox() as stand,
            open_ledger(ledger_url(folder, "cost")) as ledger,
            opened_activities(ledger, stand.info) as acts,
        ):
            paths = await fill(stand, acts, contacts, tasks)
            await measure_tasks(acts, paths, changed)
            await measure_notes(acts)
    say(benchmark="activity_cost", contacts=contacts, peak_memory_mb=peak_memory_mb(), **machine())


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [10_000, 20_000, 500][len(numbers) :])))
