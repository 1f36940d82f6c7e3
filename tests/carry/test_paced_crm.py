"""Bookings come faster than the CRM may be called: all arrive, once each, and it never says 429."""

import pytest

from tests.carry.paced_world import LIMIT, Figures, opened_paced
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.sandbox.server import running_sandbox

only_on_sqlite = pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)


def check(figures: Figures) -> None:
    assert (figures.lost, figures.doubled, figures.in_doubt) == (0, 0, 0)
    assert figures.refused == 0
    assert figures.busiest <= LIMIT
    assert figures.calls > LIMIT
    assert figures.waits > 0


async def test_more_than_a_window_takes_waits_for_the_next_one(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_paced(ledger, info, window_s=0.25) as paced:
        check(await paced.queued(40))


async def test_a_client_that_calls_too_fast_is_noticed(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_paced(ledger, info, 5, pace=1000) as paced:
        figures = await paced.queued(40)

    assert figures.refused > 0
    assert (figures.lost, figures.doubled, figures.in_doubt) == (0, 0, 0)


@pytest.mark.slow
@only_on_sqlite
async def test_a_hundred_bookings_at_ten_a_second(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_paced(ledger, info, window_s=10) as paced:
        check(await paced.spread(100, per_s=10))


@pytest.mark.slow
@only_on_sqlite
async def test_two_thousand_queued_bookings_in_windows_twenty_times_shorter(ledger: Ledger) -> None:
    async with running_sandbox() as info, opened_paced(ledger, info, window_s=0.5) as paced:
        check(await paced.queued(2000))
