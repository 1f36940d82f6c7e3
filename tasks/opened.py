"""A connection's adapters, opened once per process and shared by its flow and tasks.

Loading a block takes 10 ms, and a new HTTP client reconnects: too slow for every task run.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from blocks.contexts import open_context
from tasks.policy import current_flow_run_id, current_run_id
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import SyncContext


@dataclass
class _Shared:
    context: SyncContext
    stack: AsyncExitStack
    users: int = 0


@dataclass
class _Register:
    """What this event loop has open. The lock prevents opening a connection twice."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: dict[ConnectionName, _Shared] = field(default_factory=dict[ConnectionName, _Shared])
    ledger: Ledger | None = None


_registers: dict[asyncio.AbstractEventLoop, _Register] = {}


@contextmanager
def on_ledger(ledger: Ledger) -> Generator[None]:
    """Let all connections opened in this loop share one ledger and its commits."""
    register = _registers.setdefault(asyncio.get_running_loop(), _Register())
    register.ledger = ledger
    try:
        yield
    finally:
        register.ledger = None
        if not register.open:
            del _registers[asyncio.get_running_loop()]


@asynccontextmanager
async def opened(connection: ConnectionName) -> AsyncGenerator[SyncContext]:
    """Use a connection's adapters; the last user closes them."""
    register = _registers.setdefault(asyncio.get_running_loop(), _Register())
    async with register.lock:
        if connection not in register.open:
            stack = AsyncExitStack()
            context = await stack.enter_async_context(open_context(connection, register.ledger))
            register.open[connection] = _Shared(context, stack)
        shared = register.open[connection]
        shared.users += 1
    try:
        yield shared.context.during(current_run_id(), current_flow_run_id())
    finally:
        shared.users -= 1
        if shared.users == 0:
            del register.open[connection]
            if not register.open and register.ledger is None:
                del _registers[asyncio.get_running_loop()]
            await shared.stack.aclose()
