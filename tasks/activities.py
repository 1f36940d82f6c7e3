"""Tasks that sweep and reconcile notes, tasks and appointments.

Live work goes first: a sweep uses the GHL calls that the rate limiter has free.
"""

from datetime import datetime
from functools import partial

from prefect import task

from timerex_ghl.adapters.ghl.rate_limiter import behind_live
from timerex_ghl.adapters.ledger.tables.sync.sweeps import Linked
from timerex_ghl.domain.activities.activity_fields import ActivityKind
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.sweep import (
    Swept,
    handle_activity_key,
    list_changed_here,
    next_people,
    sweep_notes,
    sweep_tasks,
)
from timerex_ghl.engine.bookings import appointment_sweep
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.process import process_record
from timerex_ghl.orchestration.batches import at_once, batches_of, each, resolved
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.run_policy import RETRIES

BATCH = 250
"""Records one task run reconciles."""


PEOPLE = 100
"""Contacts whose notes one task run reads."""


@task(**RETRIES, task_run_name="{connection} pages")
async def sweep_task_pages(connection: ConnectionName, scan: str, *, dry_run: bool) -> Swept:
    """Sweep the next pages of all GHL tasks. Safe to repeat: the pages are read again."""
    with behind_live():
        async with opened(connection) as context:
            return await sweep_tasks(context, scan, dry_run=dry_run)


@task(**RETRIES, task_run_name="{connection} people")
async def list_people(connection: ConnectionName, since: datetime | None) -> list[list[Linked]]:
    """List the contacts whose notes this run reads, in batches."""
    async with opened(connection) as context:
        people = await context.ledger.read(next_people, context, since)
    return batches_of(people, PEOPLE)


@task(**RETRIES, task_run_name="{connection} notes")
async def sweep_people(connection: ConnectionName, people: list[Linked], *, dry_run: bool) -> Swept:
    """Sweep the notes of some contacts. Safe to repeat: it only finds differences."""
    with behind_live():
        async with opened(connection) as context:
            named = [Linked(*one) for one in people]
            await context.ledger.write(call_budget.spend, context.connection, len(named), utc_now())
            swept = await sweep_notes(context, named, dry_run=dry_run)
            await context.ledger.write(
                call_budget.spend, context.connection, len(swept.keys), utc_now()
            )
            return swept


@task(**RETRIES, task_run_name="{connection} changes")
async def list_changed_activities(
    connection: ConnectionName, kind: ActivityKind, since: datetime | None
) -> list[str]:
    """List the workspace changes that are not in GHL yet."""
    async with opened(connection) as context:
        return [str(key) for key in await list_changed_here(context, kind, since)]


@task(**RETRIES, task_run_name="{connection} appointments")
async def list_changed_appointments(connection: ConnectionName) -> list[str]:
    """List the appointments that changed in GHL's calendars. Safe to repeat."""
    with behind_live():
        async with opened(connection) as context:
            found = await appointment_sweep.list_changed_appointments(context, utc_now())
            return [str(key) for key in found]


@task(**RETRIES, task_run_name="{connection} notes, tasks, appointments")
async def reconcile_activities(
    connection: ConnectionName, keys: list[str], *, dry_run: bool
) -> Counts:
    """Reconcile the records that a sweep found, or only plan it. Safe to repeat."""
    with behind_live():
        async with opened(connection) as context:
            handle = partial(process_record, context, partial(handle_activity_key, dry_run=dry_run))
            return resolved(await each(handle, [*map(RecordRef.parse, keys)], at_once(context)))
