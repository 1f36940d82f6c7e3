"""Locks for the time a record is processed, renewed while that takes long."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.errors import LockedError, RetryableError

T = TypeVar("T")

TTL_S = 30.0
"""How long a lock outlives its holder. A living holder renews it every third of this."""

PATIENCE_S = TTL_S + 2
"""How long to wait for a lock: long enough that one of a killed holder expires."""


class Busy(NamedTuple):
    """Another process has one of these locks at the moment."""

    names: tuple[str, ...]


def holder_name(run_id: str | None) -> str:
    """Return a name for this process and run as a holder of locks."""
    return f"{machine()}:{os.getpid()}:{run_id or 'no run'}:{random.getrandbits(32):08x}"


@cache
def machine() -> str:
    """Return a name for this machine, its boot, and its namespace of process ids."""
    name = socket.gethostname().replace(":", "-")
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:  # not Linux: whether another process lives is unknown
        return name
    return f"{name}/{boot}/{space}"


def is_dead(holder: str) -> bool:
    """Return whether a lock's holder has surely ended: it was a process of this machine."""
    where, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if where != machine() or "/" not in where or not pid.isdecimal():
        return False
    return not Path(f"/proc/{pid}").exists()


@dataclass(kw_only=True)
class Lock:
    """A lock that was taken.

    Attributes:
        released: A unit of work about its record released it already.
    """

    fence: Fence
    released: bool = False


L = TypeVar("L", bound=Lock)


class Claimed(NamedTuple, Generic[L, T]):
    """A lock, and what was read under it in the unit of work that took it."""

    claim: L
    known: T


C = TypeVar("C", bound=Claimed[Any, Any] | None)


@asynccontextmanager
async def claim(
    ledger: Ledger,
    attempt: Callable[[], Awaitable[C | Busy]],
    wait_s: float = PATIENCE_S,
) -> AsyncGenerator[C]:
    """Take a lock and what it protects, renew it meanwhile, and release it at the end.

    Args:
        ledger: Where the locks are.
        attempt: Takes both in one unit of work; None where there is nothing to lock.
        wait_s: How long to wait while another process has it.

    Raises:
        LockedError: Another process had it for all of `wait_s`.
    """
    taken = await insist(ledger, attempt, wait_s)
    if taken is None:
        yield taken
        return
    try:
        async with renewed(ledger, taken.claim.fence):
            yield taken
    finally:
        if not taken.claim.released:
            ledger.post(locks.release_locks, [taken.claim.fence])  # without a wait


@asynccontextmanager
async def locked(
    ledger: Ledger, names: Collection[str], *, run_id: str | None, wait_s: float = PATIENCE_S
) -> AsyncGenerator[Fence]:
    """Take all of these locks, or none.

    Raises:
        LockedError: Another holder kept one of them for all of `wait_s`.
    """
    holder = holder_name(run_id)

    async def take() -> Claimed[Lock, None] | Busy:
        fence = await ledger.write(locks.try_lock, names, holder, TTL_S)
        return Busy(tuple(names)) if fence is None else Claimed(Lock(fence=fence), None)

    async with claim(ledger, take, wait_s) as taken:
        yield taken.claim.fence


async def insist(
    ledger: Ledger, attempt: Callable[[], Awaitable[T | Busy]], wait_s: float = PATIENCE_S
) -> T:
    """Retry an attempt until it is not busy.

    Raises:
        LockedError: It was busy for all of `wait_s`.
    """
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + wait_s
    pause_s = 0.01
    while True:
        result = await attempt()
        if not isinstance(result, Busy):
            return result
        if clock() >= give_up_at:
            name, other = await ledger.read(_whose, sorted(result.names))
            raise LockedError(name, other, after_s=TTL_S)
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
        pause_s = min(pause_s * 2, 1.0)


@asynccontextmanager
async def renewed(ledger: Ledger, fence: Fence) -> AsyncGenerator[None]:
    """Renew a lock while its work lasts; most work is done before the first renewal."""
    loop = asyncio.get_running_loop()
    renewing: list[asyncio.Task[None]] = []
    first = loop.call_later(
        TTL_S / 3, lambda: renewing.append(loop.create_task(_renew(ledger, fence)))
    )
    try:
        yield
    finally:
        first.cancel()
        for task in renewing:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _renew(ledger: Ledger, fence: Fence) -> None:
    """Renew a lock forever. One that was lost stays lost: the fence refuses the next intent."""
    while True:
        with suppress(RetryableError):  # an outage: the next renewal may be in time
            await ledger.write(locks.renew_lock, fence, TTL_S)
        await asyncio.sleep(TTL_S / 3)


def _whose(tx: Connection, names: Collection[str]) -> tuple[str, str]:
    for name in names:
        holder = locks.holder_of(tx, name)
        if holder is not None:
            return name, holder
    return "a lock", "a process that has just released it"
