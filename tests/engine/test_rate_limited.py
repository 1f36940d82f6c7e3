"""Bookings come faster than the CRM's limit: all arrive, once each, and it never says 429."""

import pytest

from tests.engine.rate_limited_world import LIMIT, RunFigures, opened_rate_limited
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.sandbox.server import running_sandbox

FEW = CallLimits(limit=LedgerRateLimiter.side_by_side // 2, window_s=0.25)
"""Fewer calls than there are lanes, so that a lane waits on a machine of any speed."""

only_on_sqlite = pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)


def check(figures: RunFigures, call_limits: CallLimits) -> None:
    assert (figures.lost, figures.doubled, figures.in_doubt) == (0, 0, 0)
    assert figures.refused == 0
    assert figures.busiest <= call_limits.limit
    assert figures.calls > call_limits.limit


async def test_whoever_finds_no_slot_waits_and_nothing_is_lost(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_rate_limited(ledger, info, FEW) as rate_limited:
        figures = await rate_limited.queued(20)

    check(figures, FEW)
    assert figures.waits > 0


@pytest.mark.slow
@only_on_sqlite
async def test_a_hundred_bookings_at_ten_a_second(ledger: Ledger) -> None:
    call_limits = CallLimits(LIMIT, window_s=10)
    async with (
        running_sandbox() as info,
        opened_rate_limited(ledger, info, call_limits) as rate_limited,
    ):
        figures = await rate_limited.spread(100, per_s=10)

    check(figures, call_limits)
    assert figures.waits > 0


@pytest.mark.slow
@only_on_sqlite
async def test_a_thousand_queued_bookings_in_windows_twenty_times_shorter(ledger: Ledger) -> None:
    """A thousand, to end in time on a busy machine; `benchmarks.rate_limited` takes two thousand.

    It does not assert any waits: 200 calls a second may be more than a machine makes.
    """
    call_limits = CallLimits(LIMIT, window_s=0.5)
    async with (
        running_sandbox() as info,
        opened_rate_limited(ledger, info, call_limits) as rate_limited,
    ):
        figures = await rate_limited.queued(1000)

    check(figures, call_limits)
