"""Cancelled callers and a closed rate limiter: no slot is lost, no caller waits for ever."""

import asyncio
from typing import ClassVar

import pytest

from tests.adapters.fake_time import HANG_S, FakeTime
from tests.adapters.ghl.rate_limited import AOBA, RateLimiterFactory
from timerex_ghl.adapters.ghl.lanes import Lane
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter, Unlimited
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits, Slot
from timerex_ghl.domain.shared.errors import RateLimitedError, RetryableError

QUICK = CallLimits(limit=5, window_s=0.3, deadline_s=25)


async def call(rate_limiter: LedgerRateLimiter | Unlimited) -> None:
    async with rate_limiter.slot():
        pass


class StoppingRateLimiter(LedgerRateLimiter):
    """Cancels a caller between being served and waking up."""

    to_stop: ClassVar[list[asyncio.Task[None]]] = []

    def _hand_out(self, lane: Lane, slot: Slot) -> None:
        super()._hand_out(lane, slot)
        if self.to_stop:
            self.to_stop.pop(0).cancel()


async def test_who_is_stopped_just_as_it_is_served_gives_the_slot_back(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    rate_limiter = StoppingRateLimiter(timed_ledger, AOBA, QUICK, timer=fake_time)
    leaving = [asyncio.create_task(call(rate_limiter)) for _ in range(5)]
    rate_limiter.to_stop.extend(leaving)

    await asyncio.gather(*leaving, return_exceptions=True)

    assert all(task.cancelled() for task in leaving)
    await fake_time.run(asyncio.gather(*(call(rate_limiter) for _ in range(5))))
    assert fake_time.elapsed_s < 5, "and not the 25 seconds of a process that died"
    await rate_limiter.close()


async def test_without_a_rate_limit_nobody_calls_either_while_ghl_says_no(
    fake_time: FakeTime,
) -> None:
    rate_limiter = Unlimited(fake_time)
    await rate_limiter.pause(20)
    await rate_limiter.pause(5)

    await fake_time.run(call(rate_limiter))

    assert fake_time.elapsed_s == 20
    await rate_limiter.pause(3600)
    with pytest.raises(RateLimitedError):
        async with rate_limiter.slot():
            pass


async def test_closing_lets_nobody_wait(
    rate_limiter_at: RateLimiterFactory, fake_time: FakeTime
) -> None:
    rate_limiter = rate_limiter_at(QUICK)
    await rate_limiter.pause(30)
    waiting = [asyncio.create_task(call(rate_limiter)) for _ in range(3)]
    await fake_time.until_waiting()

    async with asyncio.timeout(HANG_S):
        await rate_limiter.close()
        errors = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in errors] == [RetryableError] * 3
    await rate_limiter.close()
