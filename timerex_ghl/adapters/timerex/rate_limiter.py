"""The rate limiter of one TimeRex user, shared by all processes.

A call takes a slot in each window that limits it, and returns it when it ends; `ledger/quota.py`
explains why no window ever has too many calls.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import Ended, Slot
from timerex_ghl.adapters.timer import SYSTEM_TIMER, Timer
from timerex_ghl.adapters.timerex.operations import Window
from timerex_ghl.domain.shared.errors import RateLimitedError
from timerex_ghl.domain.shared.models import LocationId

LOOKS_PER_WINDOW = 20
"""How often a waiting caller checks again: other processes may have returned slots."""


class TimerexRateLimiter:
    """The call budget of one user, stored in the ledger."""

    def __init__(
        self, ledger: Ledger, owner: str, spare: int = 0, *, timer: Timer = SYSTEM_TIMER
    ) -> None:
        """Limit the calls of `owner`; leave `spare` calls of each window to other work."""
        self._ledger = ledger
        self._owner = owner
        self._spare = spare
        self._timer = timer

    def sparing(self, calls: int) -> "TimerexRateLimiter":
        """Return a limiter for work that can wait, leaving `calls` of each window to the rest."""
        return TimerexRateLimiter(self._ledger, self._owner, calls, timer=self._timer)

    @asynccontextmanager
    async def taken(self, windows: Sequence[Window], wait_s: float) -> AsyncGenerator[None]:
        """Take a slot for one call, and return it when the call has ended.

        Raises:
            RateLimitedError: No slot is free within `wait_s`.
        """
        slots = await self._take(windows, wait_s)
        try:
            yield
        finally:
            await asyncio.shield(self._ledger.write(_give_back, self._owner, windows, slots))

    async def pause(self, windows: Sequence[Window], seconds: float) -> None:
        """Stop all calls for a while, after TimeRex answered 429."""
        await self._ledger.write(_pause, self._owner, windows, seconds)

    async def _take(self, windows: Sequence[Window], wait_s: float) -> list[Slot]:
        """Try to take slots until some are free, or cannot be free within `wait_s`.

        The reported wait assumes that running calls take their full deadline; they may end sooner.
        """
        give_up_at = self._timer.monotonic() + wait_s
        while True:
            try:
                return await self._ledger.write(_take_all, self._owner, windows, self._spare)
            except RateLimitedError as full:
                remaining_s = give_up_at - self._timer.monotonic()
                at_least_s = (full.after_s or 0.0) - windows[0].call_limits.deadline_s
                if remaining_s <= 0 or at_least_s > remaining_s:
                    raise
            nap_s = min(
                remaining_s,
                min(window.call_limits.window_s for window in windows) / LOOKS_PER_WINDOW,
            )
            await self._timer.sleep(nap_s * random.uniform(0.5, 1.0))


def _take_all(tx: Connection, owner: str, windows: Sequence[Window], spare: int) -> list[Slot]:
    """Take a slot in each window, or in none: the error rolls back the earlier ones."""
    taken: list[Slot] = []
    for window in windows:
        call_limits = window.call_limits._replace(limit=max(window.call_limits.limit - spare, 1))
        slots, wait_s = quota.take_slots(tx, _key(owner, window), 1, call_limits)
        if not slots:
            raise RateLimitedError(
                f"TimeRex's limit for this {window.name} is used up", after_s=wait_s
            )
        taken += slots
    return taken


def _give_back(
    tx: Connection, owner: str, windows: Sequence[Window], slots: Sequence[Slot]
) -> None:
    for window, slot in zip(windows, slots, strict=True):
        quota.give_back(tx, _key(owner, window), [Ended(slot, 0.0)], window.call_limits)


def _pause(tx: Connection, owner: str, windows: Sequence[Window], seconds: float) -> None:
    for window in windows:
        quota.pause(tx, _key(owner, window), seconds)


def _key(owner: str, window: Window) -> LocationId:
    """Return a window's key in the quota table, which GHL's locations share."""
    return LocationId(f"timerex:{owner}:{window.name}")
