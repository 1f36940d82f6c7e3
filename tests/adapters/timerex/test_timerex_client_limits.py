"""All processes together keep to TimeRex's limits."""

import asyncio

import pytest

from tests.adapters.fake_time import HANG_S, FakeTime
from tests.adapters.timerex.api_world import ApiWorld
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.adapters.timerex.auth import ApiKey
from timerex_ghl.adapters.timerex.operations import DAY, HOUR, MINUTE, Window
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.domain.shared.errors import RateLimitedError

SHORT = Window("minute", CallLimits(limit=2, window_s=0.4))
LONG = Window("day", CallLimits(limit=3, window_s=60))


async def call(rate_limiter: TimerexRateLimiter, *windows: Window, wait_s: float = 5.0) -> None:
    async with rate_limiter.taken(windows, wait_s):
        pass


async def test_who_waits_is_let_through_when_the_window_has_passed(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    rate_limiters = [TimerexRateLimiter(timed_ledger, "aoba", timer=fake_time) for _ in range(5)]

    await fake_time.run(*(call(rate_limiter, SHORT) for rate_limiter in rate_limiters))

    assert 0.8 <= fake_time.elapsed_s < 4


async def test_who_does_not_wait_is_reported_how_long_it_would_be(timed_ledger: Ledger) -> None:
    rate_limiter = TimerexRateLimiter(timed_ledger, "aoba")
    for _ in range(3):
        await call(rate_limiter, LONG)

    with pytest.raises(RateLimitedError, match="limit for this day is used up") as raised:
        await call(rate_limiter, LONG, wait_s=0)

    assert raised.value.after_s == pytest.approx(60 + 0.001)


async def test_a_call_that_finds_one_window_full_takes_nothing_of_the_other(
    timed_ledger: Ledger,
) -> None:
    rate_limiter = TimerexRateLimiter(timed_ledger, "aoba")
    for _ in range(3):
        await call(rate_limiter, LONG)

    for _ in range(3):
        with pytest.raises(RateLimitedError):
            await call(rate_limiter, MINUTE, LONG, wait_s=0)

    for _ in range(60):
        await call(rate_limiter, MINUTE, wait_s=0)


async def test_work_that_can_wait_leaves_calls_to_what_cannot(timed_ledger: Ledger) -> None:
    rate_limiter = TimerexRateLimiter(timed_ledger, "aoba")
    sparing = rate_limiter.sparing(20)
    for _ in range(40):
        await call(sparing, MINUTE, wait_s=0)

    with pytest.raises(RateLimitedError):
        await call(sparing, MINUTE, wait_s=0)
    for _ in range(20):
        await call(rate_limiter, MINUTE, wait_s=0)
    with pytest.raises(RateLimitedError):
        await call(rate_limiter, MINUTE, wait_s=0)


async def test_a_line_that_spares_calls_waits_as_long_as_it_was_given(api: ApiWorld) -> None:
    event_id = await api.book()
    await TimerexRateLimiter(api.ledger, ApiKey(api.info.timerex.api_key).owner).pause([MINUTE], 60)
    async with asyncio.timeout(HANG_S):
        with pytest.raises(RateLimitedError):
            await api.by_key().sparing(20, wait_s=0).get_delivery(event_id, None)


async def test_two_users_do_not_stand_in_each_others_way(timed_ledger: Ledger) -> None:
    await TimerexRateLimiter(timed_ledger, "aoba").pause([MINUTE], 60)

    await call(TimerexRateLimiter(timed_ledger, "umi"), MINUTE, wait_s=0)


async def test_a_429_stops_every_process_of_that_user_and_counts_half_a_minute(
    api: ApiWorld,
) -> None:
    event_id = await api.book()
    await api.control("POST", "/limits", minute=0)
    with pytest.raises(RateLimitedError) as raised:
        await api.by_key().get_event(event_id)
    await api.control("POST", "/limits", minute=60)

    with pytest.raises(RateLimitedError, match="limit for this minute is used up"):
        await api.by_key().get_event(event_id, wait_s=0)

    assert raised.value.after_s == 30
    assert await api.calls() == ["get-event"]


async def test_a_full_minute_does_not_stop_a_cancel(api: ApiWorld) -> None:
    event_id = await api.book()
    owner = ApiKey(api.info.timerex.api_key).owner
    await TimerexRateLimiter(api.ledger, owner).pause([MINUTE], 60)

    await api.by_key().cancel_event(event_id)


def test_the_documented_limits_are_the_ones_we_keep() -> None:
    kept = [
        (window.call_limits.limit, window.call_limits.window_s) for window in (MINUTE, HOUR, DAY)
    ]

    assert kept == [(60, 60), (100, 3600), (1000, 86_400)]


async def test_the_sixty_first_call_of_a_minute_is_never_sent(api: ApiWorld) -> None:
    event_id = await api.book()
    client = api.by_key()
    await asyncio.gather(*(client.get_event(event_id) for _ in range(60)))

    with pytest.raises(RateLimitedError):
        await client.get_event(event_id, wait_s=0)

    assert len(await api.calls()) == 60


def test_the_name_of_an_owner_reports_nothing_of_the_key() -> None:
    assert "canary" not in ApiKey("canary" * 10).owner
