"""Delay of live bookings, alone and during a sweep that uses all calls it may.

    python -m benchmarks.during_sweep [bookings at 1/s] [bookings at once]

Against 100 calls per 10 s. The sweep reads four pages of tasks at once: first in the process that
handles the bookings, then in one of its own that shares the ledger. It runs for one rate limit
window before the first booking. The CRM is a sandbox in a process of its own; without Prefect.
"""

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.synchronize import Event
from typing import Any, Literal, TypeAlias

from benchmarks.harness import ledger_url, machine, say, started_sandbox
from tests.engine.rate_limited_world import (
    LIMIT,
    RateLimitedWorld,
    busiest,
    opened_rate_limited,
    sweeping,
)
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.sandbox.info import SandboxInfo

PER_S = 1
CALL_LIMITS = CallLimits(LIMIT, window_s=10)
GOAL_S = 2
"""Most seconds a sweep may add to the longest delay of bookings at one per second."""

START_S = 60
"""Timeout for the start of a sweeping process."""

Sweep: TypeAlias = Literal["none", "same process", "own process"]


@asynccontextmanager
async def opened(sweep: Sweep) -> AsyncGenerator[RateLimitedWorld]:
    """Open a new CRM and a new ledger, and sweep for one window."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = ledger_url(folder, "beside")
        stand = await stack.enter_async_context(started_sandbox())
        ledger = await stack.enter_async_context(open_ledger(url))
        rate_limited = await stack.enter_async_context(
            opened_rate_limited(ledger, stand.info, CALL_LIMITS)
        )
        if sweep == "same process":
            await stack.enter_async_context(sweeping(rate_limited.world.context.ghl))
        if sweep == "own process":
            await stack.enter_async_context(_sweeping_elsewhere(url, stand.info))
        await asyncio.sleep(CALL_LIMITS.window_s)
        yield rate_limited


async def measure_spread(bookings: int, sweep: Sweep) -> float:
    """Process bookings that arrive one by one; return the longest delay."""
    async with opened(sweep) as rate_limited:
        before: list[Any] = (await rate_limited.world.ask("GET", "/ghl/calls"))["calls"]
        figures = await rate_limited.spread(bookings, PER_S)
    delays, swept = rate_limited.delays_s, rate_limited.of_sweep()
    finished = {**figures._asdict(), "seconds": round(figures.seconds, 1)}
    say(
        benchmark="beside",
        part="spread",
        sweep=sweep,
        **finished,
        of_sweep={
            "calls_before": len(before),
            "calls": len(swept),
            "busiest": busiest(swept, CALL_LIMITS.window_s),
        },
        p50_s=round(delays[len(delays) // 2], 3),
        p95_s=round(delays[int(len(delays) * 0.95)], 3),
        max_s=round(delays[-1], 3),
        **machine(),
    )
    return delays[-1]


async def measure_burst(bookings: int, sweep: Sweep) -> None:
    """Process bookings that are all pending at once."""
    async with opened(sweep) as rate_limited:
        figures = await rate_limited.queued(bookings)
    finished = {**figures._asdict(), "seconds": round(figures.seconds, 1)}
    say(benchmark="beside", part="burst", sweep=sweep, **finished, **machine())


@asynccontextmanager
async def _sweeping_elsewhere(url: str, info: SandboxInfo) -> AsyncGenerator[None]:
    spawned = multiprocessing.get_context("spawn")
    sweeps = spawned.Event()
    process = spawned.Process(target=sweep_as_a_process, args=(url, info, sweeps))
    process.start()
    try:
        await asyncio.to_thread(sweeps.wait, START_S)
        yield
    finally:
        process.terminate()
        process.join()


def sweep_as_a_process(url: str, info: SandboxInfo, sweeps: Event) -> None:
    """Sweep until the process is ended; set `sweeps` when it has started."""
    asyncio.run(_sweep(url, info, sweeps))


async def _sweep(url: str, info: SandboxInfo, sweeps: Event) -> None:
    async with (
        open_ledger(url) as ledger,
        opened_rate_limited(ledger, info, CALL_LIMITS) as rate_limited,
        sweeping(rate_limited.world.context.ghl),
    ):
        sweeps.set()
        await asyncio.Event().wait()


async def main(spread: int, burst: int) -> None:
    """Measure both parts, alone and then with a sweep; a part without bookings is skipped."""
    if spread:
        alone_s = await measure_spread(spread, "none")
        for sweep in ("same process", "own process"):
            later_s = round(await measure_spread(spread, sweep) - alone_s, 3)
            say(benchmark="beside", sweep=sweep, max_later_s=later_s, goal_s=GOAL_S)
    if burst:
        for sweep in ("none", "same process", "own process"):
            await measure_burst(burst, sweep)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [40, 20][len(numbers) :])))
