"""The live worker: ledger, lease and connections that stay open across its flow runs."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.errors import RetryableError, TimerexGhlError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.dispatch import Batch, Dispatcher
from timerex_ghl.engine.writes.lock_names import lock_of_live
from timerex_ghl.engine.writes.locking import holder_name, is_dead
from timerex_ghl.orchestration.contexts import load_ledger_store, on_ledger, opened

LEASE_S = 10.0
"""How long the lease outlives its holder; then another worker takes over."""

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
        active_run: The flow run that takes new events; a replaced run finishes those it has.
        stop: Set when no more events are to be taken.
        rotate: Set when the active run is to be replaced.
        ready: Set when a run is active.
        runs: Ids of the flow runs of this worker, including those that are finishing.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    connections: Connections
    active_run: object = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    rotate: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    runs: set[str] = field(default_factory=set[str])

    async def batches(self, me: object) -> AsyncGenerator[Batch]:
        """Become the active run; yield pending events until another run takes over or all stops."""
        self.active_run = me
        self.ready.set()
        while self.active_run is me and not self.stop.is_set():
            try:
                batches, pause_s = await self.dispatcher.take()
            except RetryableError as error:
                _log.warning("%s", error)
                batches, pause_s = [], OUTAGE_S
            for batch in batches:
                yield batch
            await self.dispatcher.wait(pause_s)

    def halt(self) -> None:
        """Stop taking events."""
        self.stop.set()
        self.dispatcher.wake()


_workers: dict[asyncio.AbstractEventLoop, LiveWorker] = {}


@asynccontextmanager
async def live_worker() -> AsyncGenerator[LiveWorker]:
    """Return the live worker of this event loop, or set one up once the lease is free."""
    loop = asyncio.get_running_loop()
    if loop in _workers:
        yield _workers[loop]
        return
    async with AsyncExitStack() as stack:
        store = await load_ledger_store()
        ledger = await stack.enter_async_context(store.open(in_loop=True))
        stack.enter_context(on_ledger(ledger))
        fence = await _take_lease(ledger)
        stack.push_async_callback(ledger.write, locks.release_locks, [fence])
        dispatcher = Dispatcher(ledger, await stack.enter_async_context(ledger.listening()))
        connections = Connections(ledger, dispatcher)
        stack.push_async_callback(connections.close)
        worker = _workers[loop] = LiveWorker(ledger, dispatcher, connections)
        stack.callback(_workers.pop, loop)
        await connections.refresh()
        for work in (_keep_lease(worker, fence), _keep_refreshing(worker)):
            stack.push_async_callback(_end, asyncio.create_task(work))
        yield worker


async def _take_lease(ledger: Ledger) -> Fence:
    """Wait for the lease; release the locks of dead processes on this machine."""
    holder = holder_name("live")
    has_reported = False
    while True:
        await ledger.write(locks.release_dead, is_dead)
        fence = await ledger.write(locks.try_lock, [lock_of_live()], holder, LEASE_S)
        if fence is not None:
            return fence
        if not has_reported:
            other = await ledger.read(locks.holder_of, lock_of_live())
            _log.warning("another live worker is running (%s): this one stands by", other)
            has_reported = True
        await asyncio.sleep(1)


async def _keep_lease(worker: LiveWorker, fence: Fence) -> None:
    """Renew the lease; stop if it was lost, as another worker may have taken over."""
    while True:
        await asyncio.sleep(LEASE_S / 4)
        with suppress(TimerexGhlError):
            if not await worker.ledger.write(locks.renew_lock, fence, LEASE_S):
                _log.error("the live worker lost its lease: stopping")
                worker.halt()
                return


async def _keep_refreshing(worker: LiveWorker) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        with suppress(TimerexGhlError):
            await worker.connections.refresh()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
