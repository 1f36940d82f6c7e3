"""The rate limiter of one location, for all processes together: never more than GHL allows."""

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
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits, Ended, ReportedLimits, Slot
from timerex_ghl.adapters.timer import SYSTEM_TIMER, Timer
from timerex_ghl.domain.shared.errors import RateLimitedError, RetryableError, TimerexGhlError
from timerex_ghl.domain.shared.models import LocationId

LOOKS_PER_WINDOW = 20
"""How often a waiting caller checks again: other processes may have returned slots."""

LINGER_S = 0.2
"""How long ended calls wait for the next call, to be written to the ledger together."""

LONGEST_WAIT_S = 60.0
"""A call that would wait longer fails: the daily call budget is used up."""

SHARE_BEHIND = 0.2
"""The share of a window that calls behind live work may take at a time.

A sweep may delay live work by at most 2 seconds. With s calls per second it occupies 10 * s of the
100 slots, so the last of B simultaneous calls waits (B - (100 - 10 * s)) / s seconds: B may be
100 - 8 * s. Two calls per second allow bursts of 84 calls, about twenty bookings, of which 80 start
at once. Over a day these are fewer calls than a sweep may make.
"""

Grant: TypeAlias = tuple[list[Slot], float]
"""The granted slots; without any, the seconds to wait."""

_behind: ContextVar[bool] = ContextVar("behind_live", default=False)


@contextmanager
def behind_live() -> Generator[None]:
    """Put the calls made in this context, and in tasks started in it, behind those of live work.

    For sweeps: bulk reads, and reconciling notes and tasks that differ. Contacts are reconciled
    at live priority, because live work may be waiting for their locks.
    """
    token = _behind.set(True)
    try:
        yield
    finally:
        _behind.reset(token)


def is_behind_live() -> bool:
    """Return whether calls of this context go behind live work."""
    return _behind.get()


class RateLimiter(Protocol):
    """Limits calls to what GHL allows.

    Attributes:
        side_by_side: Number of concurrent calls, and as many again behind live work. Each idle
        HTTP connection adds a check to every call.
    """

    side_by_side: int

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for a slot for one call, and occupy it while the call lasts.

        Raises:
            RateLimitedError: The wait would be longer than `LONGEST_WAIT_S`.
        """
        ...

    def observe(self, headers: Mapping[str, str]) -> None:
        """Record the remaining call budget from GHL's answer."""
        ...

    async def pause(self, seconds: float) -> None:
        """Stop all calls for a while, after GHL answered 429."""
        ...

    async def close(self) -> None:
        """Release what the limiter occupies."""
        ...


class Unlimited:
    """For the sandbox: calls wait only after a 429, and only in this process.

    The sandbox is local and answers at once, so few concurrent calls are enough.
    """

    side_by_side = 4

    def __init__(self, timer: Timer = SYSTEM_TIMER) -> None:
        self._timer = timer
        self._paused_until = float("-inf")

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait only while paused."""
        while (wait_s := self._paused_until - self._timer.monotonic()) > 0:
            if wait_s > LONGEST_WAIT_S:
                raise RateLimitedError("GHL's limit is used up", after_s=wait_s)
            await self._timer.sleep(wait_s)
        yield

    def observe(self, headers: Mapping[str, str]) -> None:
        """Do nothing: the sandbox's budget is not tracked."""

    async def pause(self, seconds: float) -> None:
        """Stop the calls of this process."""
        self._paused_until = max(self._paused_until, self._timer.monotonic() + seconds)

    async def close(self) -> None:
        """Do nothing: no slots are occupied."""


class LedgerRateLimiter:
    """Limits calls through the ledger, which all processes share.

    Waiting callers are served together: one write to the ledger returns the slots of ended calls,
    corrects the count by what GHL reported, and takes slots for all callers. Callers behind live
    work get at most their share, and only after live work of this process has all its slots.
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
        """Wait for a slot, and return it when the call has ended."""
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
        """Keep the reported budget for the next write to the ledger."""
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
        """Stop serving, and return the slots of ended calls."""
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
        """Serve waiting callers until none is left, then record ended calls in the ledger."""
        failure: TimerexGhlError = RetryableError("the rate limiter is closed")
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
        if self._live and live[1] > 0:  # a new live call would wait as well
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
            self._ended.append((slot, self._timer.monotonic()))  # its caller was cancelled


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
