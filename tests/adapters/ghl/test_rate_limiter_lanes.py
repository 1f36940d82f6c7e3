"""Two lanes: live work goes first, and calls behind it use the rest."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import httpx
import pytest

from tests.adapters.database_events import commits_counted
from tests.adapters.fake_time import HANG_S, FakeTime
from tests.adapters.ghl.line import LOCATION, RIKU, line
from tests.adapters.ghl.rate_limited import (
    AOBA,
    DEADLINE_S,
    RateLimiterFactory,
    counting_server,
    sweep_as_a_process,
)
from tests.adapters.ledger.tables.sync.quota_usage import read_usage
from timerex_ghl.adapters.ghl.rate_limiter import (
    SHARE_BEHIND,
    LedgerRateLimiter,
    Unlimited,
    behind_live,
    is_behind_live,
)
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import DAILY_LIMIT, RESERVE_OF_DAY, CallLimits
from timerex_ghl.domain.shared.errors import RateLimitedError, RetryableError

QUICK = CallLimits(limit=10, window_s=0.5, deadline_s=25)
SLOW = CallLimits(limit=10, window_s=30, deadline_s=25)


@pytest.fixture
def ledger(timed_ledger: Ledger) -> Ledger:
    return timed_ledger


async def call(rate_limiter: LedgerRateLimiter | Unlimited, order: list[str] | None = None) -> None:
    async with rate_limiter.slot():
        if order is not None:
            order.append("behind" if is_behind_live() else "live")


def start_behind(
    rate_limiter: LedgerRateLimiter, number: int, order: list[str] | None = None
) -> list[asyncio.Task[None]]:
    with behind_live():
        return [asyncio.create_task(call(rate_limiter, order)) for _ in range(number)]


async def call_live(rate_limiter: LedgerRateLimiter, number: int) -> None:
    await asyncio.gather(*(call(rate_limiter) for _ in range(number)))


async def stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_sweeps_tasks_go_behind_live_and_nobody_else_does() -> None:
    async def record() -> bool:
        return is_behind_live()

    with behind_live():
        inside = asyncio.create_task(record())
        with behind_live():
            pass
        still = is_behind_live()

    assert still
    assert await inside
    assert not await asyncio.create_task(record())


async def test_live_work_goes_at_once_beside_a_sweep_that_waits(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(SLOW)
    sweep = start_behind(rate_limiter, 20)
    await fake_time.until_waiting()

    async with asyncio.timeout(HANG_S):  # no time passes: a waiting caller hangs
        await call_live(rate_limiter, 8)

    assert not all(task.done() for task in sweep)
    await stop(*sweep)


async def test_a_sweep_elsewhere_leaves_live_work_all_but_its_share(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter, elsewhere = rate_limiter_at(SLOW), rate_limiter_at(SLOW)
    sweep = start_behind(elsewhere, 20)
    await fake_time.until_waiting()

    async with asyncio.timeout(HANG_S):
        await call_live(rate_limiter, 8)

    await stop(*sweep)


async def test_a_sweep_goes_on_beside_live_work_that_leaves_little(
    rate_limiter_at: RateLimiterFactory,
) -> None:
    rate_limiter = rate_limiter_at(SLOW)

    async with asyncio.timeout(HANG_S):
        await call_live(rate_limiter, 8)
        await asyncio.gather(*start_behind(rate_limiter, 1))


async def test_whoever_waits_for_live_work_is_served_before_all_behind_it(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(QUICK)
    order: list[str] = []
    await rate_limiter.pause(1)
    sweep = start_behind(rate_limiter, 3, order)
    await fake_time.until_waiting()
    live = [asyncio.create_task(call(rate_limiter, order)) for _ in range(3)]

    await fake_time.run(asyncio.gather(*sweep, *live))

    assert order == ["live"] * 3 + ["behind"] * 3


async def test_all_of_a_sweep_is_done_in_the_end_beside_live_work(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(QUICK)

    await fake_time.run(asyncio.gather(*start_behind(rate_limiter, 6), call_live(rate_limiter, 30)))

    assert (await ledger.read(read_usage, AOBA)).today == 36


async def test_a_sweep_ends_with_nine_tenths_of_the_day_and_live_work_goes_on(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(QUICK)
    await call(rate_limiter)
    remaining = str(RESERVE_OF_DAY)
    rate_limiter.observe(
        {"x-ratelimit-daily-remaining": remaining, "x-ratelimit-daily-reset": "3600000"}
    )
    live = asyncio.create_task(call_live(rate_limiter, 15))
    sweep = start_behind(rate_limiter, 2)

    await fake_time.run(asyncio.gather(live, *sweep, return_exceptions=True))

    assert live.exception() is None
    for error in [task.exception() for task in sweep]:
        assert isinstance(error, RateLimitedError)
        assert 3500 < (error.after_s or 0) <= 3600
    assert (await ledger.read(read_usage, AOBA)).today == DAILY_LIMIT - RESERVE_OF_DAY + 15


async def test_whoever_stops_waiting_leaves_nothing_behind(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(SLOW)
    await call_live(rate_limiter, 10)
    live = [asyncio.create_task(call(rate_limiter)) for _ in range(2)]
    sweep = start_behind(rate_limiter, 2)
    await fake_time.until_waiting()

    await stop(*live, *sweep)
    await let_pass(ledger, fake_time)  # the ended calls are recorded

    with commits_counted() as commits:
        await let_pass(ledger, fake_time)
    assert len(commits) == STEPS, "no caller checks for slots any more"
    assert (await ledger.read(read_usage, AOBA)).today == 10


STEPS = 10


async def let_pass(ledger: Ledger, fake_time: FakeTime) -> None:
    """Advance by one second this many times, with a write after pending ones each time."""
    for _ in range(STEPS):
        fake_time.advance(1)
        await ledger.write(lambda _tx: None)


async def test_closing_lets_nobody_wait_in_either_lane(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(SLOW)
    await rate_limiter.pause(30)
    waiting = [asyncio.create_task(call(rate_limiter)), *start_behind(rate_limiter, 2)]
    await fake_time.until_waiting()

    async with asyncio.timeout(HANG_S):
        await rate_limiter.close()
        errors = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in errors] == [RetryableError] * 3


async def test_without_a_rate_limit_nobody_goes_behind_anybody() -> None:
    with behind_live():
        await asyncio.gather(*(call(Unlimited()) for _ in range(200)))


async def test_a_sweep_that_waits_keeps_no_line_that_a_live_call_wants(
    ledger: Ledger, rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(SLOW, LOCATION)
    async with line(httpx.Response(200, json={"notes": []}), rate_limiter=rate_limiter) as opened:
        await ledger.write(quota.take_slots, LOCATION, 1, SLOW, 2)  # all a sweep may have for now
        with behind_live():
            sweep = [
                asyncio.create_task(opened.client.list_notes(RIKU))
                for _ in range(2 * rate_limiter.side_by_side)
            ]
        await fake_time.until_waiting()

        async with asyncio.timeout(HANG_S):  # no time passes: a waiting caller hangs
            await opened.client.list_notes(RIKU)

        assert not any(task.done() for task in sweep)
        await stop(*sweep)


@pytest.mark.slow
async def test_two_sweeping_processes_keep_to_one_share(ledger_url: str) -> None:
    call_limits = CallLimits(limit=20, window_s=1, deadline_s=DEADLINE_S)
    spawned = multiprocessing.get_context("spawn")
    async with counting_server(processes=2) as counted:
        with ProcessPoolExecutor(2, spawned) as pool:
            job = ledger_url, counted.url, call_limits, 10
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(loop.run_in_executor(pool, sweep_as_a_process, *job) for _ in range(2))
            )

    assert len(counted.arrivals) == 20
    assert counted.most_in_any(call_limits.window_s) <= call_limits.limit * SHARE_BEHIND
