"""Fake time, advanced by tests only: a ledger's clock and a rate limiter's timer in one."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 2, 3, 5, tzinfo=UTC)
HANG_S = 60.0
"""Timeout for hanging tests; it measures nothing."""


class FakeTime:
    """A clock (`now`) and a timer (`monotonic`, `sleep`, `wait`) that a test advances.

    Attributes:
        elapsed_s: Fake seconds since it was created.
    """

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self._waiting: list[tuple[float, asyncio.Event]] = []
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        """Return the time of day, for `LedgerOptions(clock=...)`."""
        return BEGINNING + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        is_due = asyncio.Event()
        waiting = self.elapsed_s + timeout_s, is_due
        self._waiting.append(waiting)
        self._changed.set()
        either = [asyncio.create_task(each.wait()) for each in (event, is_due)]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in either:
                task.cancel()
            self._waiting = [each for each in self._waiting if each is not waiting]

    def advance(self, seconds: float) -> None:
        """Advance the time, and wake waits that are due."""
        self.elapsed_s += seconds
        due = [each for each in self._waiting if each[0] <= self.elapsed_s]
        self._waiting = [each for each in self._waiting if each not in due]
        for _, is_due in due:
            is_due.set()

    async def until_waiting(self, number: int = 1) -> None:
        """Return once this many waits are pending."""
        async with asyncio.timeout(HANG_S):
            while len(self._waiting) < number:
                self._changed.clear()
                await self._changed.wait()

    async def run(self, *works: Awaitable[object]) -> None:
        """Advance from wait to wait until all works are done; raise their errors.

        Time advances only while there are at least as many waits as unfinished works: pass one work
        per rate limiter, so that no limiter is overtaken by another's wait.
        """
        tasks = [asyncio.ensure_future(work) for work in works]
        async with asyncio.timeout(HANG_S):
            while unfinished := [task for task in tasks if not task.done()]:
                waiting = asyncio.create_task(self.until_waiting(len(unfinished)))
                await asyncio.wait({waiting, *unfinished}, return_when=asyncio.FIRST_COMPLETED)
                is_over = any(task.done() for task in unfinished)
                if len(self._waiting) >= len(unfinished) and not is_over:
                    self.advance(min(due_s for due_s, _ in self._waiting) - self.elapsed_s)
                waiting.cancel()
        await asyncio.gather(*tasks)
