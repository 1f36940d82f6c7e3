"""Bookings come faster than the CRM may be called: all arrive, once each, and it never says 429."""

import pytest

from tests.engine.rate_limited_world import LIMIT, Figures, opened_paced
from timerex_ghl.adapters.ghl.rate_limiter import LedgerPacer
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.quota import Pace
from timerex_ghl.sandbox.server import running_sandbox

FEW = Pace(limit=LedgerPacer.side_by_side // 2, window_s=0.25)
"""Less room than there are lines side by side: somebody waits on a machine of any speed."""

only_on_sqlite = pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)


def check(figures: Figures, pace: Pace) -> None:
    assert (figures.lost, figures.doubled, figures.in_doubt) == (0, 0, 0)
    assert figures.refused == 0
    assert figures.busiest <= pace.limit
    assert figures.calls > pace.limit


async def test_whoever_finds_no_room_waits_and_nothing_is_lost(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_paced(ledger, info, FEW) as paced:
        figures = await paced.queued(20)

    check(figures, FEW)
    assert figures.waits > 0


@pytest.mark.slow
@only_on_sqlite
async def test_a_hundred_bookings_at_ten_a_second(ledger: Ledger) -> None:
    pace = Pace(LIMIT, window_s=10)
    async with running_sandbox() as info, opened_paced(ledger, info, pace) as paced:
        figures = await paced.spread(100, per_s=10)

    check(figures, pace)
    assert figures.waits > 0


@pytest.mark.slow
@only_on_sqlite
async def test_a_thousand_queued_bookings_in_windows_twenty_times_shorter(ledger: Ledger) -> None:
    """A thousand, to end in time on a busy machine; `benchmarks.rate_limited` takes two thousand.

    That anybody waits is not claimed: 200 calls a second may be more than a machine makes.
    """
    pace = Pace(LIMIT, window_s=0.5)
    async with running_sandbox() as info, opened_paced(ledger, info, pace) as paced:
        figures = await paced.queued(1000)

    check(figures, pace)
