"""The sync context of a published connection: opened from its blocks, once a process.

Loading a block takes 10 ms, and a new HTTP client reconnects: too slow for every task run.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx

from blocks.ghl import GHLCredentials
from blocks.ledger import LEDGER_BLOCK, LedgerStore
from blocks.timerex import TimeRexCredentials
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.domain.connections.settings import TimerexSettings
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import CallCount, SyncContext
from timerex_ghl.orchestration.run_policy import current_flow_run_id, current_run_id


@asynccontextmanager
async def open_context(
    connection: ConnectionName, ledger: Ledger | None = None
) -> AsyncGenerator[SyncContext]:
    """Open the ledger and the clients of a connection, as it was last published.

    Args:
        connection: Its name.
        ledger: An open ledger to use; it is not closed. None: open the installation's.

    Raises:
        SettingsError: A block is missing, or the connection was never published.
    """
    async with AsyncExitStack() as stack:
        if ledger is None:
            store = await load_ledger_store()
            ledger = await stack.enter_async_context(store.open())
        version = await ledger.read(published.current, connection)
        if version is None:
            raise SettingsError(
                f"connection {connection} is not published: run publish-connection first"
            )
        settings = version.settings.ghl
        credentials = await load_credentials(settings.credentials)
        calls = CallCount()
        http = await stack.enter_async_context(open_http(calls))
        timerex = await stack.enter_async_context(_open_timerex(version.settings.timerex, ledger))
        ghl = credentials.open_client(settings, ledger, http)
        stack.push_async_callback(ghl.close)
        yield SyncContext(version, ledger, ghl, calls, timerex=timerex)


@asynccontextmanager
async def _open_timerex(
    settings: TimerexSettings, ledger: Ledger
) -> AsyncGenerator[TimerexClient | None]:
    """Open a client with an HTTP client of its own: calls of GHL's are counted."""
    if settings.auth == "none":
        yield None
        return
    try:
        credentials = await TimeRexCredentials.aload(settings.credentials)
    except ValueError as error:
        raise SettingsError(
            f"no block TimeRex Credentials named {settings.credentials}: create it, or publish the"
            " connection again"
        ) from error
    async with open_http(CallCount()) as http:
        yield credentials.open_client(settings, ledger, http)


def open_http(calls: CallCount) -> httpx.AsyncClient:
    """Open the one HTTP client of a connection. Redirects are never followed with a body."""
    return httpx.AsyncClient(
        verify=_tls(),
        follow_redirects=False,
        timeout=httpx.Timeout(20.0),
        event_hooks={"request": [calls.count]},
    )


@cache
def _tls() -> ssl.SSLContext:
    """Load the trusted certificates once per process: it takes 30 ms."""
    return httpx.create_ssl_context()


async def load_ledger_store() -> LedgerStore:
    """Load the installation's ledger block.

    Raises:
        SettingsError: The block does not exist.
    """
    try:
        return await LedgerStore.aload(LEDGER_BLOCK)
    except ValueError as error:
        raise SettingsError(
            f"no block Ledger Store named {LEDGER_BLOCK}: create it under Blocks in the Prefect UI"
        ) from error


async def load_credentials(name: str) -> GHLCredentials:
    """Load GHL credentials by the block's name.

    Raises:
        SettingsError: There is no such block.
    """
    try:
        return await GHLCredentials.aload(name)
    except ValueError as error:
        raise SettingsError(
            f"no block GHL Credentials named {name}: create it, or publish the connection again"
        ) from error


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
