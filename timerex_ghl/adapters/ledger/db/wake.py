"""Wakes listeners within milliseconds when an event is stored."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from timerex_ghl.adapters.ledger.db.engine import Engines
from timerex_ghl.adapters.ledger.db.failures import driver_errors

LOOK_EVERY_S = 0.005
"""How often SQLite is polled: a check takes microseconds, and SQLite notifies no other process."""

LISTEN_S = 0.5
"""Timeout of one LISTEN on PostgreSQL: how soon a listener notices that it should stop."""

CHANNEL = "timerex_ghl_inbox"

AGAIN_AFTER_S = 1.0
"""Delay before a lost database is tried again."""


class Alarm:
    """Rings when an event was stored. All rings since the last wait count as one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiting caller. May be called from any thread."""
        with suppress(RuntimeError):  # the loop is closed: no caller waits
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the next ring or the timeout; return whether it rang."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        has_rung = self._rung.is_set()
        self._rung.clear()
        return has_rung


@asynccontextmanager
async def listening(engines: Engines) -> AsyncGenerator[Alarm]:
    """Return an alarm that rings whenever any process stores an event in this ledger."""
    alarm, stop = Alarm(), threading.Event()
    watch = _watch_postgresql if engines.reader.dialect.name == "postgresql" else _watch_sqlite
    thread = threading.Thread(
        target=_insist, args=(watch, engines.reader, alarm, stop), name="ledger-alarm", daemon=True
    )
    thread.start()
    try:
        yield alarm
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


def announce(tx: Connection) -> None:
    """Notify listeners when this transaction commits. On SQLite they poll."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"NOTIFY {CHANNEL}")


Watch = Callable[[Engine, Alarm, threading.Event], None]


def _insist(watch: Watch, engine: Engine, alarm: Alarm, stop: threading.Event) -> None:
    """Watch until stopped. After an outage ring, as events may have been missed."""
    outages = (DBAPIError, driver_errors(engine))
    while not stop.is_set():
        try:
            watch(engine, alarm, stop)
        except outages:
            stop.wait(AGAIN_AFTER_S)
        alarm.ring()


def _watch_sqlite(engine: Engine, alarm: Alarm, stop: threading.Event) -> None:
    """Poll for commits of other connections, and ring when the inbox grew."""
    with engine.connect() as connection:
        cursor = cast("Any", connection.connection).cursor()
        version, newest = -1, -1
        while not stop.wait(LOOK_EVERY_S):
            (now,) = cursor.execute("PRAGMA data_version").fetchone()
            if now == version:
                continue
            version = now
            (last,) = cursor.execute("SELECT max(seq) FROM inbox").fetchone()
            if last != newest:
                newest = last
                alarm.ring()


def _watch_postgresql(engine: Engine, alarm: Alarm, stop: threading.Event) -> None:
    """Listen for the notifications of `announce`."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"LISTEN {CHANNEL}"))
        driver: Any = connection.connection.driver_connection
        alarm.ring()
        while not stop.is_set():
            for _ in driver.notifies(timeout=LISTEN_S, stop_after=1):
                alarm.ring()
