"""Clocks that tests pass to the sandbox, so that no result depends on the machine's speed."""

import asyncio
import threading
from operator import attrgetter
from typing import NamedTuple

from timerex_ghl.sandbox.core.clock import MachineClock

HANG_S = 60.0
"""A timeout for a test that would wait forever; nothing takes nearly as long."""


class Sleeper(NamedTuple):
    """A task in the sandbox's event loop that waits for a time."""

    until: float
    loop: asyncio.AbstractEventLoop
    woken: "asyncio.Future[None]"


class ManualClock(MachineClock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self._now = 1_000.0
        self._sleepers: list[Sleeper] = []
        self._changed = threading.Condition()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        sleeper = Sleeper(self._now + seconds, loop, loop.create_future())
        with self._changed:
            self._sleepers.append(sleeper)
            self._changed.notify_all()
        await sleeper.woken

    def advance(self, seconds: float) -> None:
        """Advance the clock, and wake the tasks that are due."""
        with self._changed:
            self._now += seconds
            due = [one for one in self._sleepers if one.until <= self._now]
            self._sleepers = [one for one in self._sleepers if one.until > self._now]
        for sleeper in sorted(due, key=attrgetter("until")):
            sleeper.loop.call_soon_threadsafe(sleeper.woken.set_result, None)

    async def has_sleeper(self) -> None:
        """Wait until a task sleeps on this clock."""
        await asyncio.wait_for(asyncio.to_thread(self._wait_for_sleeper), 2 * HANG_S)

    def _wait_for_sleeper(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._sleepers, HANG_S), "no task sleeps"


class SkippingClock(MachineClock):
    """Returns from every sleep at once, and records its length."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = 1_000.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
