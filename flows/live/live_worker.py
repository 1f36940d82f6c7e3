"""The live worker: ledger, lease and connections that stay open across its flow runs."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from flows.live.lease import Lease, OutageLog, take_lease
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.shared.errors import FatalError, RetryableError, TimerexGhlError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.dispatch import Batch, Dispatcher
from timerex_ghl.orchestration.contexts import load_ledger_store, on_ledger, opened

REFRESH_S = 2.0
"""How often newly published versions are looked for."""

REST_S = 30.0
"""Delay before a connection that cannot be opened, or whose credentials fail, is retried."""

OUTAGE_S = 1.0
"""How often the ledger's database is tried while it is down."""

_log = logging.getLogger(__name__)


@dataclass
class Connections:
    """The published connections, each open in its current version."""

    ledger: Ledger
    dispatcher: Dispatcher
    _open: dict[ConnectionName, tuple[int, AsyncExitStack]] = field(
        default_factory=dict[ConnectionName, tuple[int, AsyncExitStack]]
    )
    _rests_until: dict[ConnectionName, float] = field(default_factory=dict[ConnectionName, float])

    async def refresh(self) -> None:
        """Open newly published versions; close older ones once they are idle."""
        versions = {
            one.settings.name: one.version
            for one in await self.ledger.read(published.all_published)
        }
        now = asyncio.get_running_loop().time()
        stale = {name for name, (version, _) in self._open.items() if versions.get(name) != version}
        self._offer(stale, now)
        for name in filter(self.dispatcher.is_idle, stale):
            await self._open.pop(name)[1].aclose()
        for name, version in versions.items():
            if name not in self._open and self._rests_until.get(name, 0) <= now:
                await self._try(name, version)
        self._offer(stale, now)

    def rest(self, connection: ConnectionName, why: str) -> None:
        """Pause a connection for a while, as all its events would fail now."""
        _log.warning("%s is paused for %d s: %s", connection, REST_S, why)
        self._rests_until[connection] = asyncio.get_running_loop().time() + REST_S
        self.dispatcher.open = [name for name in self.dispatcher.open if name != connection]

    async def close(self) -> None:
        """Close all connections."""
        for _, stack in self._open.values():
            await stack.aclose()
        self._open.clear()

    async def _try(self, name: ConnectionName, version: int) -> None:
        stack = AsyncExitStack()
        try:
            await stack.enter_async_context(opened(name))
        except TimerexGhlError as error:  # pauses only this connection
            self.rest(name, str(error))
        else:
            self._open[name] = version, stack

    def _offer(self, stale: set[ConnectionName], now: float) -> None:
        self.dispatcher.open = [
            name
            for name in self._open
            if name not in stale and self._rests_until.get(name, 0) <= now
        ]


@dataclass
class LiveWorker:
    """The live worker of this process.

    Attributes:
        lease: Without a valid one no events are handed out.
        active_run: The flow run that takes new events; a replaced run finishes those it has.
        stop: Set when no more events are to be taken.
        rotate: Set when the active run is to be replaced.
        ready: Set when a run is active.
        runs: Ids of the flow runs of this worker, including those that are finishing.
        fault: Why it stopped by itself; None while it works, or where it was asked to stop.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    connections: Connections
    lease: Lease
    active_run: object = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    rotate: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    runs: set[str] = field(default_factory=set[str])
    fault: BaseException | None = None
    _rests_until: float = 0.0

    async def batches(self, me: object) -> AsyncGenerator[Batch]:
        """Become the active run; yield pending events until another run takes over or all stops."""
        self.active_run = me
        self.ready.set()
        while self.active_run is me and not self.stop.is_set():
            batches, pause_s = await self._take()
            for batch in batches:
                if self.lease.is_valid:  # it may have ended while the inbox was read
                    yield batch
                else:
                    self.dispatcher.done(batch)
            await self.dispatcher.wait(pause_s)

    def rest(self, error: RetryableError) -> None:
        """Hand out no events for a while, as the ledger's database fails."""
        self.lease.outages.failed(error)
        self._rests_until = asyncio.get_running_loop().time() + OUTAGE_S

    def fail(self, fault: BaseException) -> None:
        """Stop taking events, because of an error."""
        self.fault = self.fault or fault
        self.halt()

    def halt(self) -> None:
        """Stop taking events."""
        self.stop.set()
        self.dispatcher.wake()

    async def _take(self) -> tuple[list[Batch], float]:
        """Take batches where that is allowed; return them, and how long to wait afterwards."""
        if self._rests_until > asyncio.get_running_loop().time() or not self.lease.is_valid:
            return [], OUTAGE_S
        try:
            return await self.dispatcher.take()
        except RetryableError as error:
            self.rest(error)
        except FatalError as error:
            self.fail(error)
        return [], OUTAGE_S


_workers: dict[asyncio.AbstractEventLoop, LiveWorker] = {}


@asynccontextmanager
async def live_worker() -> AsyncGenerator[LiveWorker]:
    """Return the live worker of this event loop, or set one up once the lease is free."""
    loop = asyncio.get_running_loop()
    if loop in _workers:
        yield _workers[loop]
        return
    async with AsyncExitStack() as stack:
        ledger = await _open_ledger(stack)
        stack.enter_context(on_ledger(ledger))
        lease = await take_lease(ledger)
        stack.push_async_callback(lease.release)
        dispatcher = Dispatcher(ledger, await stack.enter_async_context(ledger.listening()))
        connections = Connections(ledger, dispatcher)
        stack.push_async_callback(connections.close)
        worker = _workers[loop] = LiveWorker(ledger, dispatcher, connections, lease)
        stack.callback(_workers.pop, loop)
        for work in (lease.keep(), _keep_refreshing(worker)):
            stack.push_async_callback(_end, _supervised(worker, work))
        with suppress(RetryableError):  # it is repeated
            await connections.refresh()
        yield worker


async def _open_ledger(stack: AsyncExitStack) -> Ledger:
    """Open the ledger, however long its database is out of reach."""
    store, outages = await load_ledger_store(), OutageLog()
    while True:
        try:
            ledger = await stack.enter_async_context(store.open(in_loop=True))
        except RetryableError as error:
            outages.failed(error)
            await asyncio.sleep(OUTAGE_S)
        else:
            outages.works()
            return ledger


def _supervised(worker: LiveWorker, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start work that lasts as long as the worker: if it ends by an error, the worker stops."""

    def look(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            worker.fail(error)

    task = asyncio.create_task(work)
    task.add_done_callback(look)
    return task


async def _keep_refreshing(worker: LiveWorker) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        with suppress(TimerexGhlError):
            await worker.connections.refresh()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
