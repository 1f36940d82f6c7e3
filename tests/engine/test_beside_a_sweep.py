"""Bookings arrive while a sweep reads all it can: they go first, and nothing is lost."""

import asyncio

import pytest

from tests.engine.rate_limited_world import LIMIT, busiest, opened_rate_limited, sweeping
from timerex_ghl.adapters.ghl.rate_limiter import SHARE_BEHIND
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.sandbox.server import running_sandbox

only_on_sqlite = pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)


@pytest.mark.slow
@only_on_sqlite
@pytest.mark.parametrize("window_s", [0.5, 5])
async def test_live_work_beside_a_sweep_is_all_done_and_the_sweep_keeps_to_its_share(
    ledger: Ledger, window_s: float
) -> None:
    """The longer window is filled by a machine of any speed, so the sweep must wait."""
    call_limits = CallLimits(LIMIT, window_s)
    async with (
        running_sandbox() as info,
        opened_rate_limited(ledger, info, call_limits) as rate_limited,
        sweeping(rate_limited.world.context.ghl),
    ):
        await asyncio.sleep(call_limits.window_s)
        figures = await rate_limited.spread(20, per_s=4)

    assert (figures.lost, figures.doubled, figures.in_doubt) == (0, 0, 0)
    assert figures.refused == 0
    assert figures.busiest <= call_limits.limit
    swept = rate_limited.of_sweep()
    assert 0 < busiest(swept, call_limits.window_s) <= call_limits.limit * SHARE_BEHIND
