"""Bookings that come faster than the CRM may be called: what is lost, doubled, refused; who waits.

    python -m benchmarks.rate_limited [events at 10/s] [events queued at once]

First against 100 calls per 10 s, then with windows 20 times shorter on both sides. The live path's
dispatcher and carriers, without Prefect; the CRM is a sandbox in a process of its own. Where
`calls_per_s` stays far below `allowed_per_s` and `waits` is 0, the machine was the limit.
"""

import asyncio
import sys
import tempfile

from benchmarks.stand import ledger_url, machine, say, started_sandbox
from tests.engine.rate_limited_world import LIMIT, Figures, opened_paced
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.adapters.ledger.quota import Pace

PER_S = 10
SPREAD, QUEUED = Pace(LIMIT, window_s=10), Pace(LIMIT, window_s=0.5)


async def measure(events: int, pace: Pace) -> Figures:
    """Carry so many bookings into a new CRM from a new ledger."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            started_sandbox() as stand,
            open_ledger(ledger_url(folder, "paced")) as ledger,
            opened_paced(ledger, stand.info, pace) as paced,
        ):
            return await (paced.spread(events, PER_S) if pace is SPREAD else paced.queued(events))


async def main(spread: int, queued: int) -> None:
    """Measure both; a part with no events is left out."""
    for part, events, pace in (("spread", spread, SPREAD), ("queued", queued, QUEUED)):
        if not events:
            continue
        figures = await measure(events, pace)
        say(
            benchmark="paced",
            part=part,
            **{**figures._asdict(), "seconds": round(figures.seconds, 1)},
            calls_per_s=round(figures.calls / figures.seconds, 1),
            allowed_per_s=pace.limit / pace.window_s,
            **machine(),
        )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [100, 2000][len(numbers) :])))
