"""The pace of calls to one location: never more than GHL allows, however many processes call."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from timerex_ghl.adapters.ledger import quota
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.quota import Pace
from timerex_ghl.sync.errors import RetryableError
from timerex_ghl.sync.models import LocationId

LONGEST_NAP_S = 1.0
"""Look again this often while waiting: another process may have given slots back."""


class Pacer(Protocol):
    """Lets calls through, no faster than GHL allows."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for room for one call, and hold it while the call lasts."""
        ...

    async def told(self, headers: Mapping[str, str]) -> None:
        """Take in what GHL's answer says about the room that is left."""
        ...

    async def hold(self, seconds: float) -> None:
        """Let nobody through for a while: GHL answered 429."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class NoPacing:
    """For the sandbox: everything at once."""

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Let it through."""
        yield

    async def told(self, headers: Mapping[str, str]) -> None:
        """Nothing to learn."""

    async def hold(self, seconds: float) -> None:
        """Nobody waits."""

    async def close(self) -> None:
        """Nothing is held."""


class LedgerPacer:
    """Paces through the ledger, which all processes share.

    Callers that wait are served together: one write to the ledger takes slots for all of them, and
    gives back those of calls that ended since. What is not given back in time is only late: a slot
    counts as taken until it is surely free.
    """

    def __init__(self, ledger: Ledger, location_id: LocationId, pace: Pace) -> None:
        self._ledger = ledger
        self._location_id = location_id
        self._pace = pace
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._ended: list[int] = []
        self._serving: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait for a slot, and give it back when the call has ended."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        try:
            index = await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self._ended.append(mine.result())  # granted while we were leaving
            raise
        try:
            yield
        finally:
            self._ended.append(index)

    async def told(self, headers: Mapping[str, str]) -> None:
        """Tell the ledger where GHL sees less room than we do."""
        remaining = _number(headers, "x-ratelimit-remaining")
        daily = _number(headers, "x-ratelimit-daily-remaining")
        if remaining is None and daily is None:
            return
        usage = await self._ledger.read(quota.usage, self._location_id)
        sees_less = remaining is not None and remaining < self._pace.limit - usage.in_window
        is_behind = daily is not None and quota.DAILY_LIMIT - daily > usage.today
        if not sees_less and not is_behind:
            return
        reset_ms = _number(headers, "x-ratelimit-daily-reset")
        await self._ledger.write(
            quota.correct,
            self._location_id,
            self._pace,
            remaining=remaining,
            daily_remaining=daily,
            daily_reset_s=None if reset_ms is None else reset_ms / 1000,
        )

    async def hold(self, seconds: float) -> None:
        """Stop the location, for every process."""
        await self._ledger.write(quota.hold, self._location_id, seconds)

    async def close(self) -> None:
        """Give back what ended, and stop serving."""
        if self._serving is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving
        await self._give_back()

    async def _serve(self) -> None:
        """Serve whoever waits until nobody does."""
        try:
            while self._waiting:
                await self._give_back()
                slots, wait_s = await self._ledger.write(
                    quota.take_slots, self._location_id, len(self._waiting), self._pace
                )
                for index in slots:
                    self._hand_out(index)
                if not slots:
                    await asyncio.sleep(min(wait_s, LONGEST_NAP_S))
        finally:
            self._serving = None
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_exception(RetryableError("the pace cannot be kept: no ledger"))
            self._waiting.clear()

    def _hand_out(self, index: int) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(index)
                return
        self._ended.append(index)  # whoever wanted it is gone

    async def _give_back(self) -> None:
        if self._ended:
            ended, self._ended = self._ended, []
            await self._ledger.write(quota.give_back, self._location_id, ended, self._pace)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdigit() else None
