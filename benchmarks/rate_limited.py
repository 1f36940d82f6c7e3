"""Bookings that arrive faster than the CRM's rate limit: losses, doubles, refusals, delays.

    python -m benchmarks.rate_limited [events at 10/s] [events queued at once]

First against 100 calls per 10 s, then with windows 20 times shorter on both sides. Uses the live
path's dispatcher and handlers, without Prefect; the CRM is a sandbox in a process of its own. Where
`calls_per_s` stays far below `allowed_per_s` and `waits` is 0, the machine was the limit.
"""

import asyncio
import sys
import tempfile

from benchmarks.harness import ledger_url, machine, say, started_sandbox
from tests.engine.rate_limited_world import LIMIT, RunFigures, opened_rate_limited
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits

PER_S = 10
SPREAD, QUEUED = CallLimits(LIMIT, window_s=10), CallLimits(LIMIT, window_s=0.5)


async def measure(events: int, call_limits: CallLimits) -> RunFigures:
    """Process bookings into a new CRM from a new ledger."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            started_sandbox() as stand,
            open_ledger(ledger_url(folder, "paced")) as ledger,
            opened_rate_limited(ledger, stand.info, call_limits) as rate_limited,
        ):
            return await (
                rate_limited.spread(events, PER_S)
                if call_limits is SPREAD
                else rate_limited.queued(events)
            )


async def main(spread: int, queued: int) -> None:
    """Measure both; a part without events is skipped."""
    for part, events, call_limits in (("spread", spread, SPREAD), ("queued", queued, QUEUED)):
        if not events:
            continue
        figures = await measure(events, call_limits)
        say(
            benchmark="paced",
            part=part,
            **{**figures._asdict(), "seconds": round(figures.seconds, 1)},
            calls_per_s=round(figures.calls / figures.seconds, 1),
            allowed_per_s=call_limits.limit / call_limits.window_s,
            **machine(),
        )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [100, 2000][len(numbers) :])))
