"""Slots for calls behind live work: a share of the window, counted separately."""

import pytest

from tests.adapters.fake_time import FakeTime
from tests.adapters.ledger.tables.sync.windows import WIDE, end, see, take, usage
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import RESERVE_OF_DAY


@pytest.fixture
def ledger(timed_ledger: Ledger) -> Ledger:
    return timed_ledger


async def test_who_has_a_share_waits_until_its_own_are_free_and_live_work_does_not(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    first, _ = await take(ledger, 1, share=2)
    await end(ledger, first)
    fake_time.advance(3)
    await take(ledger, 1, share=2)
    fake_time.advance(5)

    behind, wait_s = await take(ledger, 1, share=2)
    live, _ = await take(ledger, 5)

    assert (behind, wait_s) == ([], 17)
    assert len(live) == 3


async def test_what_live_work_takes_is_not_counted_against_a_share(ledger: Ledger) -> None:
    await take(ledger, 85, WIDE)

    behind, _ = await take(ledger, 99, WIDE, 20)

    assert len(behind) == 4


async def test_who_has_a_share_waits_for_any_slot_of_a_window_that_is_full(ledger: Ledger) -> None:
    await take(ledger, 4)

    last, _ = await take(ledger, 5, share=5)
    none, wait_s = await take(ledger, 1, share=5)

    assert (len(last), none, wait_s) == (1, [], 30)


@pytest.mark.parametrize("share", [0, 1])
async def test_the_smallest_share_is_one_slot(ledger: Ledger, share: int) -> None:
    first, _ = await take(ledger, 5, share=share)
    second, _ = await take(ledger, 5, share=share)

    assert (len(first), len(second)) == (1, 0)


async def test_a_share_comes_a_fifth_at_a_time_in_fifths_of_the_window(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    granted: list[int] = []
    for _ in range(30):
        slots, _wait_s = await take(ledger, 99, WIDE, 50)
        granted.append(len(slots))
        await end(ledger, slots)
        fake_time.advance(0.5)

    assert granted[:9] == [10, 0, 0, 0, 0, 10, 0, 0, 0]
    assert sum(granted[:20]) <= 50


async def test_a_share_that_is_no_multiple_of_its_parts_is_a_share_still(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    granted = 0
    for _ in range(100):
        slots, _wait_s = await take(ledger, 99, WIDE, 12)
        granted += len(slots)
        await end(ledger, slots)
        fake_time.advance(0.1)

    assert granted == 12, "and not five times three"


async def test_a_slot_is_given_back_where_it_was_taken(ledger: Ledger, fake_time: FakeTime) -> None:
    live, _ = await take(ledger, 1)
    behind, _ = await take(ledger, 1, share=1)
    await end(ledger, live)
    fake_time.advance(10.01)

    none, _ = await take(ledger, 1, share=1)
    await end(ledger, behind)
    fake_time.advance(10.01)

    assert none == []
    assert len((await take(ledger, 1, share=1))[0]) == 1


async def test_what_ghl_says_is_about_live_work_and_what_goes_behind_it(ledger: Ledger) -> None:
    await take(ledger, 1)
    await take(ledger, 1, share=2)
    await see(ledger, 2)  # one of the five was another program's

    behind, _ = await take(ledger, 5, share=2)
    live, _ = await take(ledger, 5)

    assert (len(behind), len(live)) == (0, 2), "a fifth of two is one, and that is just taken"
    assert (await usage(ledger)).in_window == 5


async def test_the_end_of_the_day_is_for_live_work(ledger: Ledger) -> None:
    await take(ledger, 1)
    await see(ledger, None, RESERVE_OF_DAY + 1, 3600)

    last, _ = await take(ledger, 2, WIDE, 50)
    none, wait_s = await take(ledger, 1, WIDE, 50)
    live, _ = await take(ledger, 1, WIDE)

    assert (len(last), none, wait_s) == (1, [], 3600)
    assert len(live) == 1
