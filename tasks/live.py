"""Live processing: a task run handles one event, or under load all pending ones."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import task_run
from prefect.states import Crashed

from tasks.batch import at_once, each
from tasks.live_worker import LiveWorker
from tasks.opened import opened
from tasks.policy import RETRIES, TaskOptions
from tasks.reviews import put_review_table
from timerex_ghl.domain.shared.errors import FatalError, ScopeError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.dispatch import Batch
from timerex_ghl.engine.outcome import Counts, count
from timerex_ghl.engine.process import process_event
from timerex_ghl.engine.router import handle_inbox_event

FLOW = "live-sync"

NETS = ("timerex-poll", "contact-sync")
"""Deployments that find changes no event reported. `activity-mirror` has a schedule of its own."""

FINISH_S = 25.0
"""How long an ending run waits for running tasks. Events cut off stay pending in the ledger."""

LIVE: TaskOptions = {**RETRIES, "retries": 0, "retry_delay_seconds": []}
"""A failed event returns to the ledger at once, so that it does not block a slot."""


def name_task() -> str:
    """Name a task run by its connection and events."""
    event_ids = task_run.parameters.get("event_ids") or [""]
    more = f" and {len(event_ids) - 1} more" if len(event_ids) > 1 else ""
    return f"{task_run.parameters.get('connection')} {event_ids[0]}{more}"


@task(**LIVE, task_run_name=name_task)
async def handle_live_events(connection: ConnectionName, event_ids: list[EventId]) -> Counts:
    """Process events. Safe to repeat: finished events are skipped, failed ones stay pending."""
    if len(event_ids) > 1:
        get_run_logger().info("processing %s", ", ".join(event_ids))
    async with opened(connection) as context:
        handle = partial(process_event, context, handle_inbox_event)
        return count(await each(handle, event_ids, at_once(context)))


Work = Callable[[ConnectionName, list[EventId]], Awaitable[Counts]]
"""Handles some events of a connection."""


class LiveRun:
    """One flow run of the live worker: its task runs and their counts.

    Attributes:
        counts: Sum over the task runs that ended.
    """

    def __init__(
        self, here: LiveWorker, lasts: timedelta, most: int, work: Work = handle_live_events
    ) -> None:
        self.counts = Counts()
        self._work = work
        self._here = here
        self._remaining = most
        self._running: set[asyncio.Task[None]] = set()
        self._ends = asyncio.get_running_loop().call_later(lasts.total_seconds(), here.rotate.set)

    def handle(self, batch: Batch) -> None:
        """Start a task run of its own for a batch, concurrent with the others."""
        running = asyncio.create_task(self._handle(batch))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        self._remaining -= 1
        if self._remaining == 0:
            self._here.rotate.set()

    async def finish(self) -> None:
        """Wait for running tasks; cancel those that take too long."""
        self._ends.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=FINISH_S)
            for running in late:
                running.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _handle(self, batch: Batch) -> None:
        try:
            done = await self._work(batch.connection, batch.event_ids)
            self.counts += done  # after the await: other tasks add to it meanwhile
        except FatalError as error:
            if not isinstance(error, ScopeError) or error.was_asked:
                self._here.connections.rest(batch.connection, str(error))
        finally:
            self._here.dispatcher.done(batch)


async def end_dead_runs(here: LiveWorker) -> None:
    """Mark runs of a killed worker as crashed: we have the lease, so that worker is dead."""
    alive = {StateType.RUNNING, StateType.PENDING}
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[*alive]))
    async with get_client() as client:
        for run in await client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
            flow_run_filter=FlowRunFilter(state=state),
        ):
            if str(run.id) not in here.runs:
                gone = Crashed(message="its worker was killed; the next worker continues")
                await client.set_flow_run_state(run.id, gone, force=True)


async def catch_up(here: LiveWorker) -> None:
    """Run the polls once now, to find what was not delivered while no worker ran."""
    minute = utc_now().strftime("%Y-%m-%dT%H:%M")
    async with get_client() as client:
        for name in NETS:
            try:
                deployment = await client.read_deployment_by_name(f"{name}/{name}")
            except ObjectNotFound:
                continue
            for connection in here.dispatcher.open:
                await client.create_flow_run_from_deployment(
                    deployment.id,
                    parameters={"connection": connection},
                    idempotency_key=f"catch-up {connection} {minute}",
                )


async def report(here: LiveWorker, counts: Counts) -> None:
    """Update the review tables if this run opened reviews."""
    if counts.set_aside:
        for connection in here.dispatcher.open:
            async with opened(connection) as context:
                await put_review_table(context)
