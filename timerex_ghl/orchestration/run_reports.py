"""Run a job on a connection: take its lease, and report the result and final state."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.states import Completed

from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, review_lookups
from timerex_ghl.adapters.ledger.tables.operations.dry_run_plans import (
    fields_to_ghl,
    fields_to_workspace,
)
from timerex_ghl.domain.shared.errors import LockedError, OutageError, Service
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.bookings.poll_bookings import Polling
from timerex_ghl.engine.context import SyncContext, utc_now
from timerex_ghl.engine.outages import is_outage, try_again
from timerex_ghl.engine.writes.lock_names import lock_of_job
from timerex_ghl.engine.writes.locking import locked
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.review_table import put_review_table

ROWS = 200
"""Plans an artifact lists."""

LINKS = 50
"""Contacts an artifact links to: a longer list would not be read."""


@dataclass(frozen=True)
class Job:
    """A flow run at work on a connection.

    Attributes:
        obstacle: Why it can do nothing now: another run has the lease of this job, or the service
            does not answer. None: it can.
    """

    name: str
    run_id: str
    context: SyncContext
    started_at: datetime
    calls_before: int
    obstacle: str | None


@asynccontextmanager
async def at_work(
    connection: ConnectionName, name: str, *, alone: bool, needs: Service = "GHL"
) -> AsyncGenerator[Job]:
    """Open the connection for this flow run and its tasks.

    Args:
        connection: The connection to open.
        name: The deployment's name.
        alone: Allow one run of this job at a time. Waits as long as a killed run's lease lasts.
        needs: The service without which it can do nothing. If it stops answering meanwhile, the run
            fails, and later ones are skipped until it answers.
    """
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(opened(connection))
        run_id = await _tag_run(connection)
        outage = await try_again(context, needs)
        obstacle = outage.in_words() if outage else None
        if alone and obstacle is None:
            try:
                await stack.enter_async_context(
                    locked(
                        context.ledger,
                        [lock_of_job(connection, name)],
                        run_id=run_id,
                        wait_s=context.runtime.lease_wait_s,
                    )
                )
            except LockedError as error:
                obstacle = f"{name} is locked by {error.holder}"
        try:
            yield Job(name, run_id, context, utc_now(), context.calls.calls, obstacle)
        except OutageError as error:
            await is_outage(context, error)
            raise


def skipped(job: Job) -> State[None]:
    """End a run that can do nothing now."""
    return Completed(name="Skipped", message=f"{job.obstacle}: nothing done")


async def ended(
    job: Job, counts: Counts, *, dry_run: bool = False, more: Iterable[str] = ()
) -> State[None]:
    """End a run: write an artifact with the counts, and return Completed or NeedsReview.

    `more` is added to the artifact, as lines of Markdown.
    """
    said = f"{'would be: ' if dry_run else ''}{counts.in_words()}"
    planned = await _planned(job) if dry_run else []
    await acreate_markdown_artifact(
        key=f"{job.name}-{job.context.connection}",
        markdown="\n".join([*_report(job, counts, dry_run=dry_run), "", *more, *planned]),
        description=said,
    )
    context = job.context
    if await context.ledger.read(review_lookups.is_touched, context.connection, job.started_at):
        await put_review_table(context)
    return Completed(name="Completed", message=said) if dry_run else completed(counts)


def completed(counts: Counts) -> State[None]:
    """Return the state of a run that did its work: NeedsReview where a person has to decide."""
    name = "NeedsReview" if counts.set_aside else "Completed"
    return Completed(name=name, message=counts.in_words())


async def _planned(job: Job) -> list[str]:
    """List the fields a dry run would write, per record. The values stay in the ledger."""
    plans = await job.context.ledger.read(
        dry_run_plans.read_plans, job.context.connection, job.started_at
    )
    rows = [
        f"| {record} | {', '.join(fields_to_ghl(plan))} | {', '.join(fields_to_workspace(plan))} |"
        for record, plan in [*plans.items()][:ROWS]
    ]
    head = ["", f"Plans (the first {ROWS} at most; `timerex-ghl plans` shows the values):", ""]
    return [*head, "| Record | To GHL | To the workspace |", "| --- | --- | --- |", *rows]


def _report(job: Job, counts: Counts, *, dry_run: bool) -> list[str]:
    seconds = (utc_now() - job.started_at).total_seconds()
    rows = {
        "Changed": counts.applied,
        "Already in sync": counts.no_op,
        "Superseded or ignored": counts.superseded + counts.ignored,
        "For review": counts.review,
        "Dead letters": counts.dead,
        "To retry": counts.waiting,
        "Writes to GHL": counts.writes,
        "API calls": job.context.calls.calls - job.calls_before,
        "Seconds": f"{seconds:.1f}",
    }
    lines = [
        f"### {job.name}: {job.context.connection}{' (dry run)' if dry_run else ''}",
        "",
        "| What | How many |",
        "| --- | ---: |",
        *(f"| {what} | {number} |" for what, number in rows.items()),
    ]
    url_of = job.context.settings.ghl.contact_url
    links = [f"- [{one}]({url_of(one)})" for one in counts.contact_ids[:LINKS]]
    if links:
        lines += ["", f"Contacts in GHL (the first {LINKS} at most):", "", *links]
    return lines


async def _tag_run(connection: ConnectionName) -> str:
    """Tag this flow run with its connection, so that the UI can filter by it; return its id."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return "no run"
    run = context.flow_run
    if connection not in run.tags:
        async with get_client() as client:
            await client.update_flow_run(run.id, tags=[*run.tags, connection])
    return str(run.id)


def polled(polling: Polling) -> State[None]:
    """End a run of the poll."""
    found, stopped = polling
    goes_on = f"; {stopped}, the next run continues" if stopped else ""
    name = "NeedsReview" if found.unknown else "Completed"
    return Completed(name=name, message=f"{found.in_words()}{goes_on}")


def without_credentials(job: Job) -> State[None]:
    """End a run that has no TimeRex credentials."""
    return Completed(name="Skipped", message=lacks_timerex(job.context.connection))


def lacks_timerex(connection: ConnectionName) -> str:
    """Say what to do about missing TimeRex credentials."""
    return (
        "no TimeRex credentials: enter an API key in the TimeRex Credentials block of"
        f" {connection} and publish it again; until then only webhooks report bookings"
    )
