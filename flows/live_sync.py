"""Flow that processes events as they arrive."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from prefect import flow, tags
from prefect.client.schemas.objects import State

from flows.live.live_run import LiveRun, catch_up, end_dead_runs, report
from flows.live.live_worker import LiveWorker, live_worker
from flows.live.outage_end import ending_outages
from timerex_ghl.engine.context import utc_now
from timerex_ghl.orchestration.automations import TAG
from timerex_ghl.orchestration.run_policy import current_flow_run_id, untagged
from timerex_ghl.orchestration.run_reports import completed

AGAIN_S = 5.0
"""Delay before the next try when a run could not start because Prefect does not answer."""

_log = logging.getLogger(__name__)


def name_run() -> str:
    """Name a run by its start."""
    return f"since {utc_now():%Y-%m-%d %H:%M:%S}"


@flow(name="live-sync", flow_run_name=name_run)
async def live_sync(minutes: float = 15, task_runs: int = 1000) -> State[None]:
    """Process every event as soon as it is stored, until the next run replaces this one.

    `timerex-ghl live` starts one run after another, so that the run history stays readable.

    Args:
        minutes: How long a run accepts new events.
        task_runs: Most task runs it starts.
    """
    me = current_flow_run_id() or "no run"
    async with live_worker() as worker:
        worker.runs.add(me)
        if worker.active_run is None:
            await end_dead_runs(worker)
        live_run = LiveRun(worker, timedelta(minutes=minutes), task_runs)
        try:
            with untagged():
                async for batch in worker.batches(me):
                    live_run.handle(batch)
        finally:
            await live_run.finish()
            worker.runs.discard(me)
        await report(worker, live_run.counts)
    return completed(live_run.counts)


async def live(
    minutes: float, on_start: Callable[[LiveWorker], None], on_ready: Callable[[], None]
) -> None:
    """Keep one run of `live-sync` active until the worker stops; runs rotate.

    The active run continues while Prefect is down: only a run that did start replaces it.

    Raises:
        LeaseLostError: Another worker has taken over.
        FatalError: The ledger's database does not work before someone corrects it.
    """
    async with live_worker() as worker, ending_outages(worker):
        on_start(worker)
        runs: set[asyncio.Task[None]] = set()
        has_reported = False
        while not worker.stop.is_set():
            worker.rotate.clear()
            worker.ready.clear()
            run = asyncio.create_task(_run(minutes))
            runs.add(run)
            run.add_done_callback(runs.discard)
            ready = asyncio.create_task(worker.ready.wait())
            await asyncio.wait((run, ready), return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if not worker.ready.is_set():
                await _wait(worker.stop, AGAIN_S)
                continue
            if not has_reported:
                has_reported = True
                on_ready()
                await _try_to_catch_up(worker)
            await _first_of(worker.stop, worker.rotate, run)
            if run.done():
                await _wait(worker.stop, AGAIN_S)
        if runs:
            await asyncio.wait(runs)
    if worker.fault is not None:
        raise worker.fault


async def _run(minutes: float) -> None:
    flow_of_any_type: Any = live_sync  # Prefect's types know no awaited state
    with tags(TAG):
        try:
            await flow_of_any_type(minutes, return_state=True)
        except Exception as error:  # noqa: BLE001  Prefect failed; the events are in the ledger
            _log.warning("a run of live-sync ended early: %s", type(error).__name__)


async def _try_to_catch_up(worker: LiveWorker) -> None:
    try:
        await catch_up(worker)
    except Exception as error:  # noqa: BLE001  optional: the schedules run the polls anyway
        _log.warning("could not start the polls: %s", type(error).__name__)


async def _first_of(stop: asyncio.Event, rotate: asyncio.Event, run: asyncio.Task[None]) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (stop, rotate)]
    await asyncio.wait((*waits, run), return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
