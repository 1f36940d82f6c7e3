"""The rate limiter, shared by all processes through the ledger."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.adapters.database_events import commits_counted
from tests.adapters.fake_time import HANG_S, FakeTime
from tests.adapters.ghl.rate_limited import (
    AOBA,
    DEADLINE_S,
    RateLimiterFactory,
    call_as_a_process,
    counting_server,
)
from tests.adapters.ledger.tables.sync.quota_usage import read_usage
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.shared.errors import FatalError, RateLimitedError
from timerex_ghl.domain.shared.models import LocationId

QUICK = CallLimits(limit=5, window_s=0.3, deadline_s=25)


@pytest.fixture
def ledger(timed_ledger: Ledger) -> Ledger:
    return timed_ledger


async def call(rate_limiter: LedgerRateLimiter, until: asyncio.Event | None = None) -> None:
    async with rate_limiter.slot():
        if until is not None:
            await until.wait()


async def call_often(rate_limiter: LedgerRateLimiter, times: int) -> None:
    await asyncio.gather(*(call(rate_limiter) for _ in range(times)))


@pytest.mark.slow
async def test_no_window_sees_more_calls_of_two_processes_than_allowed(ledger_url: str) -> None:
    call_limits = CallLimits(limit=20, window_s=1, deadline_s=DEADLINE_S)
    spawned = multiprocessing.get_context("spawn")
    async with counting_server(processes=2) as counted:
        with ProcessPoolExecutor(2, spawned) as pool:
            job = ledger_url, counted.url, call_limits, 30
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(loop.run_in_executor(pool, call_as_a_process, *job) for _ in range(2))
            )

    assert len(counted.arrivals) == 60
    assert counted.most_in_any(call_limits.window_s) <= call_limits.limit


async def test_two_rate_limiters_together_use_nearly_all_that_is_allowed(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    call_limits = CallLimits(limit=20, window_s=1, deadline_s=5)
    rate_limiters = rate_limiter_at(call_limits), rate_limiter_at(call_limits)

    await fake_time.run(*(call_often(rate_limiter, 30) for rate_limiter in rate_limiters))

    calls_a_second = (60 - call_limits.limit) / fake_time.elapsed_s
    assert 0.9 * call_limits.limit <= calls_a_second * call_limits.window_s <= call_limits.limit


async def test_who_waits_together_is_served_by_one_write(
    rate_limiter_at: RateLimiterFactory,
) -> None:
    rate_limiter = rate_limiter_at(CallLimits(limit=100))

    with commits_counted() as commits:
        await call_often(rate_limiter, 40)

    assert len(commits) == 1


async def test_a_process_that_falls_silent_lets_go_of_its_slots(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    silent, other = rate_limiter_at(QUICK), rate_limiter_at(QUICK)
    await call_often(silent, 5)

    await fake_time.run(call(other))

    assert fake_time.elapsed_s < 5, "and not the 25 seconds of a process that died"


async def test_who_was_silent_for_a_window_need_not_wait(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(CallLimits(limit=5, window_s=0.15, deadline_s=25))
    await call_often(rate_limiter, 5)
    fake_time.advance(0.16)  # the ended calls are not recorded in the ledger yet

    async with asyncio.timeout(HANG_S):  # no time passes: a waiting caller hangs
        await call_often(rate_limiter, 5)


async def test_closing_reports_which_calls_ended(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(QUICK)
    await call_often(rate_limiter, 5)

    await rate_limiter.close()
    fake_time.advance(0.32)

    assert (await ledger.read(read_usage, AOBA)).in_window == 0


async def test_a_429_stops_every_process_and_no_other_location(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    observe, other = rate_limiter_at(QUICK), rate_limiter_at(QUICK)
    elsewhere = rate_limiter_at(QUICK, LocationId("locHinode"))

    await observe.pause(0.4)

    waiting = asyncio.create_task(call(other))
    async with asyncio.timeout(HANG_S):  # no time passes: a waiting caller hangs
        await call(elsewhere)
    assert not waiting.done()
    await fake_time.run(waiting)
    assert 0.4 <= fake_time.elapsed_s < 0.5


async def test_a_day_that_is_used_up_gives_the_call_back(
    rate_limiter_at: RateLimiterFactory,
) -> None:
    rate_limiter = rate_limiter_at(QUICK)
    await call(rate_limiter)
    rate_limiter.observe({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "3600000"})

    async with asyncio.timeout(HANG_S):
        both = await asyncio.gather(call(rate_limiter), call(rate_limiter), return_exceptions=True)

    for error in both:
        assert isinstance(error, RateLimitedError)
        assert error.after_s == 3600
    await call(rate_limiter_at(QUICK, LocationId("locHinode")))


async def test_what_ghl_says_is_kept_for_everyone(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory
) -> None:
    rate_limiter = rate_limiter_at(CallLimits(limit=5, window_s=10, deadline_s=25))
    async with rate_limiter.slot():
        rate_limiter.observe(
            {"x-ratelimit-remaining": "1", "x-ratelimit-daily-remaining": "150000"}
        )
        await call(rate_limiter)

    usage = await ledger.read(read_usage, AOBA)
    assert (usage.in_window, usage.today) == (5, 50_001)


@pytest.mark.parametrize("value", ["", "-1", "many", "1e3", "²"])
async def test_a_header_that_is_no_number_says_nothing(
    value: str, rate_limiter_at: RateLimiterFactory
) -> None:
    rate_limiter = rate_limiter_at(QUICK)

    rate_limiter.observe({"x-ratelimit-remaining": value, "x-ratelimit-daily-remaining": value})

    async with asyncio.timeout(HANG_S):
        await call_often(rate_limiter, 5)


async def test_who_is_stopped_while_waiting_takes_nobodys_slot(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter, release = rate_limiter_at(QUICK), asyncio.Event()
    blocking = [asyncio.create_task(call(rate_limiter, release)) for _ in range(5)]
    stopped = asyncio.create_task(call(rate_limiter))
    last = asyncio.create_task(call(rate_limiter))
    await fake_time.until_waiting()

    stopped.cancel()
    release.set()

    await fake_time.run(asyncio.gather(*blocking, last))
    assert stopped.cancelled()
    assert (await ledger.read(read_usage, AOBA)).today == 6


async def test_nobody_waits_for_ever_for_a_ledger_that_is_gone(ledger_url: str) -> None:
    async with open_ledger(ledger_url) as ledger:
        rate_limiter = LedgerRateLimiter(ledger, AOBA, QUICK)
        await call(rate_limiter)
        await rate_limiter.close()

    async with asyncio.timeout(HANG_S):
        with pytest.raises(FatalError, match="closed"):
            await call(rate_limiter)
