"""One flow run of the live worker, and what a new worker does first."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

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
from prefect.states import Crashed

from flows.live.live_worker import LiveWorker
from tasks.live import handle_live_events
from timerex_ghl.domain.shared.errors import FatalError, RetryableError, ScopeError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.dispatch import Batch
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.review_table import put_review_table

FLOW = "live-sync"

NETS = ("timerex-poll", "contact-sync")
"""Deployments that find changes no event reported. `activity-mirror` has a schedule of its own."""

FINISH_S = 25.0
"""How long an ending run waits for running tasks. Events cut off stay pending in the ledger."""

Work = Callable[[ConnectionName, list[EventId]], Awaitable[Counts]]
"""Handles some events of a connection."""


class LiveRun:
    """One flow run of the live worker: its task runs and their counts.

    Attributes:
        counts: Sum over the task runs that ended.
    """

    def __init__(
        self, worker: LiveWorker, lasts: timedelta, most: int, work: Work = handle_live_events
    ) -> None:
        self.counts = Counts()
        self._work = work
        self._worker = worker
        self._remaining = most
        self._running: set[asyncio.Task[None]] = set()
        self._ends = asyncio.get_running_loop().call_later(lasts.total_seconds(), worker.rotate.set)

    def handle(self, batch: Batch) -> None:
        """Start a task run of its own for a batch, concurrent with the others."""
        running = asyncio.create_task(self._handle(batch))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        self._remaining -= 1
        if self._remaining == 0:
            self._worker.rotate.set()

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
        except RetryableError as error:  # not a record's error: the ledger could not store one
            self._worker.rest(error)
        except FatalError as error:
            if not isinstance(error, ScopeError) or error.was_asked:
                self._worker.connections.rest(batch.connection, str(error))
        finally:
            self._worker.dispatcher.done(batch)


async def end_dead_runs(worker: LiveWorker) -> None:
    """Mark runs of a killed worker as crashed: we have the lease, so that worker is dead."""
    alive = {StateType.RUNNING, StateType.PENDING}
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[*alive]))
    async with get_client() as client:
        for run in await client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
            flow_run_filter=FlowRunFilter(state=state),
        ):
            if str(run.id) not in worker.runs:
                gone = Crashed(message="its worker was killed; the next worker continues")
                await client.set_flow_run_state(run.id, gone, force=True)


async def catch_up(worker: LiveWorker) -> None:
    """Run the polls once now, to find what was not delivered while no worker ran."""
    minute = utc_now().strftime("%Y-%m-%dT%H:%M")
    async with get_client() as client:
        for name in NETS:
            try:
                deployment = await client.read_deployment_by_name(f"{name}/{name}")
            except ObjectNotFound:
                continue
            for connection in worker.dispatcher.open:
                await client.create_flow_run_from_deployment(
                    deployment.id,
                    parameters={"connection": connection},
                    idempotency_key=f"catch-up {connection} {minute}",
                )


async def report(worker: LiveWorker, counts: Counts) -> None:
    """Update the review tables if this run opened reviews."""
    if counts.set_aside:
        with suppress(RetryableError):  # the next run writes them
            for connection in worker.dispatcher.open:
                async with opened(connection) as context:
                    await put_review_table(context)
