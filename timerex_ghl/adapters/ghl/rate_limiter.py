"""The pace of calls to one location: never more than GHL allows, however many processes call."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from contextvars import ContextVar
from typing import Protocol, TypeAlias

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.lanes import Lane
from timerex_ghl.adapters.ledger import quota
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.quota import CallLimits, Ended, ReportedLimits, Slot
from timerex_ghl.adapters.timer import SYSTEM_TIMER, Timer
from timerex_ghl.domain.errors import RateLimitedError, RetryableError, TimerexGhlError
from timerex_ghl.domain.models import LocationId

LOOKS_PER_WINDOW = 20
"""Look again this often while waiting: others may have given slots back."""

LINGER_S = 0.2
"""Ended calls are told to the ledger this late, so that the next call can take them along."""

LONGEST_WAIT_S = 60.0
"""A call that would wait longer is given back to its caller: the day's room is gone."""

SHARE_BEHIND = 0.2
"""How much of a window calls behind live may have taken at a time, whatever live work does.

A sweep may delay live work by 2 s at most. With s calls a second it holds 10 s of the 100 slots, so
the last of B calls that come at once waits (B - (100 - 10 s)) / s seconds: B may be 100 - 8 s. Two
calls a second allow bursts of 84 calls, some twenty bookings, of which 80 go at once. In a whole
day they are fewer than the calls a sweep may make in it.
"""

Grant: TypeAlias = tuple[list[Slot], float]
"""Slots, and where there was none the seconds to wait."""

_behind: ContextVar[bool] = ContextVar("behind_live", default=False)


@contextmanager
def behind_live() -> Generator[None]:
    """Let all calls made in here, in tasks started in here too, go behind those of live work.

    It is for sweeps: reads of many records, and the notes and tasks that differ. Whoever carries
    people calls as live work does: live work may be waiting for their locks.
    """
    token = _behind.set(True)
    try:
        yield
    finally:
        _behind.reset(token)


def is_behind_live() -> bool:
    """Tell whether whoever asks goes behind live work."""
    return _behind.get()


class RateLimiter(Protocol):
    """Lets calls through, no faster than GHL allows.

    Attributes:
        side_by_side: Calls under way at once, and as many behind live. Every idle line costs each
            call a look.
    """

    side_by_side: int

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for room for one call, and hold it while the call lasts.

        Raises:
            RateLimitedError: There will be none for long.
        """
        ...

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take in what GHL's answer says about the room that is left."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let nobody through for a while: GHL answered 429."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class Unlimited:
    """For the sandbox: nobody waits, but where it said so (429), and then in this process only.

    It is near and answers at once, so few lines do.
    """

    side_by_side = 4

    def __init__(self, timer: Timer = SYSTEM_TIMER) -> None:
        self._timer = timer
        self._paused_until = float("-inf")

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Let it through."""
        while (wait_s := self._paused_until - self._timer.monotonic()) > 0:
            if wait_s > LONGEST_WAIT_S:
                raise RateLimitedError("GHL's limit is used up", after_s=wait_s)
            await self._timer.sleep(wait_s)
        yield

    def observe(self, headers: Mapping[str, str]) -> None:
        """Nothing to learn."""

    async def pause(self, seconds: float) -> None:
        """Stop the calls of this process."""
        self._paused_until = max(self._paused_until, self._timer.monotonic() + seconds)

    async def close(self) -> None:
        """Nothing is held."""


class LedgerRateLimiter:
    """Paces through the ledger, which all processes share.

    Callers that wait are served together: one write to the ledger gives back the slots of calls
    that ended, corrects the count by what GHL said, and takes slots for all of them: for those
    behind live no more than their share, and only once live work in this process has what it wants.
    """

    side_by_side = 8

    def __init__(
        self,
        ledger: Ledger,
        location_id: LocationId,
        call_limits: CallLimits,
        *,
        timer: Timer = SYSTEM_TIMER,
    ) -> None:
        self._ledger = ledger
        self._location_id = location_id
        self._call_limits = call_limits
        self._timer = timer
        self._live, self._behind = Lane(), Lane()
        self._ended: list[tuple[Slot, float]] = []
        self._reported: tuple[ReportedLimits, float] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._called = asyncio.Event()

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait for a slot, and give it back when the call has ended."""
        mine = (self._behind if is_behind_live() else self._live).join()
        self._called.set()
        self._serve_soon()
        try:
            await mine
            yield
        finally:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self._ended.append((mine.result(), self._timer.monotonic()))
                self._serve_soon()

    def observe(self, headers: Mapping[str, str]) -> None:
        """Remember what GHL said for the next write."""
        reset_ms = _number(headers, "x-ratelimit-daily-reset")
        reported = ReportedLimits(
            _number(headers, "x-ratelimit-remaining"),
            _number(headers, "x-ratelimit-daily-remaining"),
            None if reset_ms is None else reset_ms / 1000,
        )
        self._reported = reported, self._timer.monotonic()

    async def pause(self, seconds: float) -> None:
        """Stop the location, for every process."""
        await self._ledger.write(quota.pause, self._location_id, seconds)

    async def close(self) -> None:
        """Give back what ended, and stop serving."""
        if self._serving is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving
        if self._ended:
            await self._exchange(0, 0)

    def _serve_soon(self) -> None:
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        """Serve whoever waits, then tell the ledger which calls ended."""
        failure: TimerexGhlError = RetryableError("the pace is no longer kept here")
        try:
            while (waiting := len(self._live) + len(self._behind)) or self._ended:
                if not waiting:
                    await self._timer.wait(self._called, LINGER_S)
                await self._serve_once()
        except TimerexGhlError as error:
            failure = error
        finally:
            self._live.turn_away(failure)
            self._behind.turn_away(failure)

    async def _serve_once(self) -> None:
        self._called.clear()
        live, behind = await self._exchange(len(self._live), len(self._behind))
        self._share_out(self._live, live)
        self._share_out(self._behind, behind)
        look_s = self._call_limits.window_s / LOOKS_PER_WINDOW
        if self._live and live[1] > 0:  # whoever calls now waits as well
            await self._timer.sleep(min(live[1], look_s))
        elif self._behind and behind[1] > 0:
            await self._timer.wait(self._called, min(behind[1], look_s))

    def _share_out(self, lane: Lane, grant: Grant) -> None:
        slots, wait_s = grant
        for slot in slots:
            self._hand_out(lane, slot)
        if wait_s > LONGEST_WAIT_S:
            lane.turn_away(
                RateLimitedError(
                    f"GHL's limit for location {self._location_id} is used up", after_s=wait_s
                )
            )

    async def _exchange(self, wanted: int, wanted_behind: int) -> tuple[Grant, Grant]:
        now = self._timer.monotonic()
        ended = [Ended(slot, now - ended_at) for slot, ended_at in self._ended]
        reported = (
            self._reported[0]._replace(ago_s=now - self._reported[1]) if self._reported else None
        )
        self._ended, self._reported = [], None
        return await self._ledger.write(
            _exchange, self._location_id, self._call_limits, ended, reported, wanted, wanted_behind
        )

    def _hand_out(self, lane: Lane, slot: Slot) -> None:
        if not lane.serve(slot):
            self._ended.append((slot, self._timer.monotonic()))  # whoever wanted it is gone


def _exchange(
    tx: Connection,
    location_id: LocationId,
    call_limits: CallLimits,
    ended: Sequence[Ended],
    reported: ReportedLimits | None,
    wanted: int,
    wanted_behind: int,
) -> tuple[Grant, Grant]:
    if ended:
        quota.give_back(tx, location_id, ended, call_limits)
    if reported is not None:
        quota.correct(tx, location_id, reported, call_limits)
    live: Grant = quota.take_slots(tx, location_id, wanted, call_limits) if wanted else ([], 0.0)
    if len(live[0]) < wanted or not wanted_behind:
        return live, ([], live[1])
    share = int(call_limits.limit * SHARE_BEHIND)
    return live, quota.take_slots(tx, location_id, wanted_behind, call_limits, share)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() else None
