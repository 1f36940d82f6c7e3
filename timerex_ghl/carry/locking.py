"""Locks that are held while something is carried, and renewed while it takes long."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import locks
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.locks import Fence
from timerex_ghl.sync.errors import RetryableError

TTL_S = 30.0
"""How long a lock outlives its holder. A holder that lives renews it every third of this."""


class HeldError(RetryableError):
    """Somebody else holds the lock.

    Attributes:
        holder: Who, as they named themselves.
    """

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(f"{name} is held by {holder}", after_s=TTL_S)
        self.holder = holder


def holder_name(run_id: str | None) -> str:
    """Name this process (and run) as a holder of locks."""
    return f"{socket.gethostname()}:{os.getpid()}:{run_id or 'no run'}:{random.getrandbits(32):08x}"


@asynccontextmanager
async def held(
    ledger: Ledger, names: Collection[str], *, run_id: str | None, wait_s: float = TTL_S + 2
) -> AsyncGenerator[Fence]:
    """Hold all of these locks, or none.

    Raises:
        HeldError: Another holder kept one of them for all of `wait_s`.
    """
    fence = await _take(ledger, names, holder_name(run_id), wait_s)
    renewing = asyncio.create_task(_renew(ledger, fence))
    try:
        yield fence
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await ledger.write(locks.release_lock, fence)


async def _take(ledger: Ledger, names: Collection[str], holder: str, wait_s: float) -> Fence:
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + wait_s
    pause_s = 0.01
    while True:
        fence = await ledger.write(locks.try_lock, names, holder, TTL_S)
        if fence is not None:
            return fence
        if clock() >= give_up_at:
            name, other = await ledger.read(_whose, sorted(names))
            raise HeldError(name, other)
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
        pause_s = min(pause_s * 2, 1.0)


async def _renew(ledger: Ledger, fence: Fence) -> None:
    """Keep the lock alive. A lock that was lost stays lost: the fence refuses the next intent."""
    while True:
        await asyncio.sleep(TTL_S / 3)
        await ledger.write(locks.renew_lock, fence, TTL_S)


def _whose(tx: Connection, names: Collection[str]) -> tuple[str, str]:
    for name in names:
        holder = locks.holder_of(tx, name)
        if holder is not None:
            return name, holder
    return "a lock", "somebody who let go just now"
