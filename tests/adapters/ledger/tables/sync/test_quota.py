"""Slots of a sliding window: granted, returned, corrected, paused."""

import asyncio

import pytest

from tests.adapters.fake_time import FakeTime
from tests.adapters.ledger.tables.sync.quota_usage import QuotaUsage
from tests.adapters.ledger.tables.sync.windows import AOBA, CALL_LIMITS, end, see, take, usage
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import DAILY_LIMIT
from timerex_ghl.domain.shared.models import LocationId


@pytest.fixture
def ledger(timed_ledger: Ledger) -> Ledger:
    return timed_ledger


async def test_no_more_slots_are_granted_than_there_are(ledger: Ledger) -> None:
    first, _ = await take(ledger, 3)
    second, wait_s = await take(ledger, 9)
    third, until_s = await take(ledger, 1)

    assert (len(first), len(second), wait_s) == (3, 2, 0)
    assert (third, until_s) == ([], 30)
    assert await usage(ledger) == QuotaUsage(5, 5, None)


async def test_a_slot_is_free_a_window_after_its_call_ended(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    slots, _ = await take(ledger, 5)
    fake_time.advance(7)
    await end(ledger, slots)

    fake_time.advance(9.9)
    assert await take(ledger, 1) == ([], pytest.approx(0.101))
    fake_time.advance(0.101)
    assert len((await take(ledger, 9))[0]) == 5


async def test_a_slot_reported_late_is_free_as_early_as_one_reported_at_once(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    slots, _ = await take(ledger, 5)
    fake_time.advance(8)
    await end(ledger, slots, ago_s=7)

    fake_time.advance(3.01)

    assert len((await take(ledger, 5))[0]) == 5


async def test_a_slot_of_a_dead_process_is_free_once_its_call_cannot_live(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    await take(ledger, 5)

    fake_time.advance(29.9)
    assert not (await take(ledger, 1))[0]
    fake_time.advance(0.1)
    assert len((await take(ledger, 5))[0]) == 5


async def test_who_gives_back_too_late_frees_nobody_elses_slot(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    paused, _ = await take(ledger, 5)
    fake_time.advance(31)
    await take(ledger, 5)

    await end(ledger, paused, ago_s=9.9)
    fake_time.advance(1)

    assert (await take(ledger, 1))[0] == []


async def test_a_lowered_limit_keeps_the_slots_that_are_longest_taken(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    slots, _ = await take(ledger, 4)
    await end(ledger, slots[:2])

    lowered = CALL_LIMITS._replace(limit=2)
    fake_time.advance(11)

    assert (await take(ledger, 1, lowered))[0] == []
    await end(ledger, slots[2:])


async def test_a_process_with_a_lower_limit_forgets_nobodys_calls(ledger: Ledger) -> None:
    slots, _ = await take(ledger, 5)

    assert (await take(ledger, 1, CALL_LIMITS._replace(limit=2)))[0] == []
    await end(ledger, slots[:1])

    assert (await take(ledger, 5))[0] == []


async def test_two_locations_have_windows_of_their_own(ledger: Ledger) -> None:
    await take(ledger, 5)

    granted, _ = await ledger.write(quota.take_slots, LocationId("locHinode"), 5, CALL_LIMITS)

    assert len(granted) == 5


async def test_a_paused_location_waits_for_the_longest_pause(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    await ledger.write(quota.pause, AOBA, 10)
    await ledger.write(quota.pause, AOBA, 3)

    assert await take(ledger, 1) == ([], 10)
    fake_time.advance(10)
    assert len((await take(ledger, 1))[0]) == 1


async def test_ghl_is_believed_where_it_sees_less_budget(ledger: Ledger) -> None:
    await take(ledger, 1)
    await see(ledger, 1)

    assert len((await take(ledger, 5))[0]) == 1
    assert (await take(ledger, 1))[1] == 10


async def test_ghl_is_not_believed_where_it_sees_more_budget(ledger: Ledger) -> None:
    await take(ledger, 4)
    await see(ledger, 100)

    assert len((await take(ledger, 5))[0]) == 1


async def test_what_ghl_said_is_about_the_moment_it_said_it(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    slots, _ = await take(ledger, 5)
    await end(ledger, slots)
    fake_time.advance(10.5)

    await see(ledger, 0, None, None, 1.0)  # reported while our own five still counted

    assert len((await take(ledger, 5))[0]) == 5


async def test_the_day_ends_when_ghl_says(ledger: Ledger, fake_time: FakeTime) -> None:
    await see(ledger, 5, 2, 3600)

    assert len((await take(ledger, 5))[0]) == 2, "the rest of the day"
    assert await take(ledger, 1) == ([], 3600)
    fake_time.advance(3600)
    assert len((await take(ledger, 5))[0]) == 5
    assert (await usage(ledger)).today == 5


async def test_the_day_is_counted_without_ghl_too(ledger: Ledger, fake_time: FakeTime) -> None:
    for _ in range(3):
        slots, _wait = await take(ledger, 5)
        await end(ledger, slots)
        fake_time.advance(10.01)

    assert (await usage(ledger)).today == 15
    assert DAILY_LIMIT == 200_000


async def test_a_location_never_called_has_used_nothing(ledger: Ledger) -> None:
    assert await usage(ledger) == QuotaUsage(0, 0, None)
    assert await ledger.read(quota.day_of, AOBA) is None


async def test_a_day_that_is_over_reports_nothing_of_the_next(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    await take(ledger, 5)
    await see(ledger, None, DAILY_LIMIT - 5, 60)
    day = await ledger.read(quota.day_of, AOBA)
    fake_time.advance(61)

    assert day is not None
    assert day.calls == 5
    assert await ledger.read(quota.day_of, AOBA) is None


async def test_takers_at_once_share_the_slots(ledger: Ledger) -> None:
    granted = await asyncio.gather(*(take(ledger, 2) for _ in range(8)))

    assert sum(len(slots) for slots, _ in granted) == 5
