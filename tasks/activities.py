"""Tasks that sweep and reconcile notes, tasks and appointments.

Live work goes first: a sweep uses the GHL calls that the rate limiter has free.
"""

from datetime import datetime, timedelta
from functools import partial

from prefect import task
from sqlalchemy import Connection

from tasks.batch import at_once, each, resolved
from tasks.opened import opened
from tasks.policy import RETRIES
from timerex_ghl.adapters.ghl.rate_limiter import behind_live
from timerex_ghl.adapters.ledger.tables.sync import sweeps
from timerex_ghl.adapters.ledger.tables.sync.sweeps import Linked
from timerex_ghl.domain.activities.activity_fields import ActivityKind
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.call_budget import Lateness
from timerex_ghl.engine.activities.sweep import (
    Swept,
    handle_activity_key,
    list_changed_here,
    sweep_notes,
    sweep_tasks,
)
from timerex_ghl.engine.bookings import appointment_sweep
from timerex_ghl.engine.context import SyncContext, utc_now
from timerex_ghl.engine.outcome import Counts
from timerex_ghl.engine.process import process_record

BATCH = 250
"""Records one task run reconciles."""

LONG = timedelta(hours=2)
"""From this on, a delay is shown in hours instead of minutes."""

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
        people = await context.ledger.read(_next_people, context, since)
    return [people[start : start + PEOPLE] for start in range(0, len(people), PEOPLE)]


@task(**RETRIES, task_run_name="{connection} notes")
async def sweep_people(connection: ConnectionName, people: list[Linked], *, dry_run: bool) -> Swept:
    """Sweep the notes of some contacts. Safe to repeat: it only finds differences."""
    with behind_live():
        async with opened(connection) as context:
            named = [Linked(*one) for one in people]
            await context.ledger.write(call_budget.spend, context, len(named), utc_now())
            swept = await sweep_notes(context, named, dry_run=dry_run)
            await context.ledger.write(call_budget.spend, context, len(swept.keys), utc_now())
            return swept


@task(**RETRIES, task_run_name="{connection} changes")
async def list_changed_activities(
    connection: ConnectionName, kind: ActivityKind, since: datetime | None
) -> list[str]:
    """List the workspace changes that are not in GHL yet."""
    async with opened(connection) as context:
        return await list_changed_here(context, kind, since)


@task(**RETRIES, task_run_name="{connection} appointments")
async def list_changed_appointments(connection: ConnectionName) -> list[str]:
    """List the appointments that changed in GHL's calendars. Safe to repeat."""
    with behind_live():
        async with opened(connection) as context:
            return await appointment_sweep.list_changed_appointments(context, utc_now())


@task(**RETRIES, task_run_name="{connection} notes, tasks, appointments")
async def reconcile_activities(
    connection: ConnectionName, keys: list[str], *, dry_run: bool
) -> Counts:
    """Reconcile the records that a sweep found, or only plan it. Safe to repeat."""
    with behind_live():
        async with opened(connection) as context:
            handle = partial(process_record, context, partial(handle_activity_key, dry_run=dry_run))
            return resolved(await each(handle, keys, at_once(context)))


def batches_of(keys: list[str]) -> list[list[str]]:
    """Split keys into batches."""
    return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]


async def read_lateness(context: SyncContext) -> list[str]:
    """Describe how long an edit in GHL can go unnoticed, in lines of Markdown."""
    late = await context.ledger.read(call_budget.lateness, context)
    return _in_words(late, has_calendars=bool(context.settings.appointments.calendars))


def _in_words(late: Lateness, *, has_calendars: bool) -> list[str]:
    interval = f"at most {late.tasks.total_seconds() / 60:g} minutes, plus the length of a run"
    lines = [
        "How long an edit in GHL goes unnoticed if no webhook reports it:",
        "",
        *([f"- a cancelled appointment: {interval}"] if has_calendars else []),
        f"- a task: {interval}",
    ]
    if late.notes is None:
        return [*lines, "- a note: forever; the hourly call budget for notes is set to 0"]
    oldest = f"{late.oldest:%Y-%m-%d %H:%M} UTC" if late.oldest else "not all contacts read yet"
    minutes = late.notes.total_seconds() / 60
    lasts = f"{minutes:g} minutes" if late.notes < LONG else f"{minutes / 60:.1f} hours"
    turn = f"at most {lasts}, which is one sweep of {late.people} contacts"
    return [*lines, f"- a note: {turn}; oldest read: {oldest}"]


def _next_people(tx: Connection, context: SyncContext, since: datetime | None) -> list[Linked]:
    most = call_budget.budget_of(tx, context, utc_now())
    return sweeps.next_people(tx, context.connection, most, since=since)
