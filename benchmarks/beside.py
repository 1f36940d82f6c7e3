"""Live bookings alone, and beside a sweep that makes all the calls it may: what live work waits.

    python -m benchmarks.beside [bookings at 1/s]

Against 100 calls per 10 s. The sweep reads four pages of tasks at once: first in the process that
carries the bookings, then in one of its own that shares the ledger. It has swept for a window
before the first booking comes. The CRM is a sandbox in a process of its own; without Prefect.
"""

import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal, TypeAlias

from benchmarks.stand import ledger_url, machine, say, started_sandbox
from tests.carry.paced_world import LIMIT, PacedWorld, busiest, opened_paced, sweeping
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.adapters.ledger.quota import Pace
from timerex_ghl.sandbox.info import SandboxInfo

PER_S = 1
PACE = Pace(LIMIT, window_s=10)
GOAL_S = 2
"""What a sweep may add to the longest delay of a booking."""

Sweep: TypeAlias = Literal["none", "same process", "own process"]


async def measure(bookings: int, sweep: Sweep) -> dict[str, Any]:
    """Carry so many bookings into a new CRM from a new ledger."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = ledger_url(folder, "beside")
        stand = await stack.enter_async_context(started_sandbox())
        ledger = await stack.enter_async_context(open_ledger(url))
        paced = await stack.enter_async_context(opened_paced(ledger, stand.info, PACE))
        if sweep == "same process":
            await stack.enter_async_context(sweeping(paced.world.sides.ghl))
        if sweep == "own process":
            await stack.enter_async_context(_sweeping_elsewhere(url, stand.info))
        await asyncio.sleep(PACE.window_s)
        figures = await paced.spread(bookings, PER_S)
    return {**figures._asdict(), "seconds": round(figures.seconds, 1), **_told(paced)}


def _told(paced: PacedWorld) -> dict[str, Any]:
    delays, swept = paced.delays_s, paced.of_sweep()
    return {
        "calls_of_sweep": len(swept),
        "busiest_of_sweep": busiest(swept, PACE.window_s),
        "p50_s": round(delays[len(delays) // 2], 3),
        "p95_s": round(delays[int(len(delays) * 0.95)], 3),
        "max_s": round(delays[-1], 3),
    }


@asynccontextmanager
async def _sweeping_elsewhere(url: str, info: SandboxInfo) -> AsyncGenerator[None]:
    spawned = multiprocessing.get_context("spawn")
    process = spawned.Process(target=sweep_as_a_process, args=(url, info))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def sweep_as_a_process(url: str, info: SandboxInfo) -> None:
    """Sweep until the process is ended."""
    asyncio.run(_sweep(url, info))


async def _sweep(url: str, info: SandboxInfo) -> None:
    async with (
        open_ledger(url) as ledger,
        opened_paced(ledger, info, PACE) as paced,
        sweeping(paced.world.sides.ghl),
    ):
        await asyncio.Event().wait()


async def main(bookings: int) -> None:
    """Measure alone, then beside each sweep."""
    alone = await measure(bookings, "none")
    say(benchmark="beside", sweep="none", **alone, **machine())
    for sweep in ("same process", "own process"):
        beside = await measure(bookings, sweep)
        later_s = round(beside["max_s"] - alone["max_s"], 3)
        say(
            benchmark="beside",
            sweep=sweep,
            **beside,
            max_later_s=later_s,
            goal_s=GOAL_S,
            **machine(),
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
