"""Choose the next events: one batch per record at a time, and fair between connections."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.db.wake import Alarm
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue
from timerex_ghl.adapters.ledger.tables.inbox.inbox_queue import Due
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.runtime import utc_now

LANES = 4
"""Batches of one connection that are processed at once. While a lane is free, an event starts at
once; while none is, events gather, and the next batch takes them all."""

BATCH = 50
"""Events a batch takes at most."""

ALL_LANES = LANES * BATCH
"""Events of one connection that can be under way at once."""

LOOK_EVERY_S = 1.0
"""Poll the inbox at least this often, even if the alarm does not ring."""


class Batch(NamedTuple):
    """Events of one connection, each about another record."""

    connection: ConnectionName
    events: tuple[Due, ...]

    @property
    def event_ids(self) -> list[EventId]:
        """Return the events' ids."""
        return [event.id for event in self.events]


class Dispatcher:
    """Dispatches pending inbox events as soon as they are stored.

    Args:
        ledger: Where the events are.
        alarm: Rings when an event is stored.
        clock: Returns the current time: aware, UTC.

    Attributes:
        open: The connections whose events may be processed now.
    """

    def __init__(
        self, ledger: Ledger, alarm: Alarm, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.open: Collection[ConnectionName] = ()
        self._ledger = ledger
        self._alarm = alarm
        self._clock = clock
        self._lanes = Counter[ConnectionName]()
        self._in_progress: set[tuple[ConnectionName, RecordRef]] = set()
        self._served = Counter[ConnectionName]()

    async def wait(self, timeout_s: float) -> None:
        """Wait until an event is stored or a batch has ended, at most `timeout_s`."""
        await self._alarm.wait(timeout_s)

    def is_idle(self, connection: ConnectionName) -> bool:
        """Return whether a connection has no batch in progress."""
        return not self._lanes[connection]

    def wake(self) -> None:
        """Wake up `wait`."""
        self._alarm.ring()

    async def take(self) -> tuple[list[Batch], float]:
        """Take a batch for each connection with due events; the least served one comes first.

        Every batch has to be returned by `done`. The number is the seconds after which to look
        again at the latest: a postponed event may be due then.
        """
        free = [connection for connection in self.open if self._lanes[connection] < LANES]
        before = frozenset(self._in_progress)
        found, next_at = await self._ledger.read(_look, free, self._clock())
        # What was in progress when the read began may have ended since: `found` is older than that.
        busy = before | self._in_progress
        batches = [batch for connection in free if (batch := _batch(connection, found, busy))]
        batches.sort(key=lambda batch: self._served[batch.connection])
        for connection, events in batches:
            self._lanes[connection] += 1
            self._served[connection] += len(events)
            self._in_progress |= {(connection, event.record) for event in events}
        if next_at is None:
            return batches, LOOK_EVERY_S
        return batches, min(max((next_at - self._clock()).total_seconds(), 0.01), LOOK_EVERY_S)

    def done(self, batch: Batch) -> None:
        """Return a batch: its records may be processed again, and its lane is free."""
        self._lanes[batch.connection] -= 1
        self._in_progress -= {(batch.connection, event.record) for event in batch.events}
        self.wake()


def _batch(
    connection: ConnectionName, found: list[Due], busy: Collection[tuple[ConnectionName, RecordRef]]
) -> Batch | None:
    chosen: dict[RecordRef, Due] = {}
    for event in found:
        is_free = (connection, event.record) not in busy
        if event.connection == connection and is_free and len(chosen) < BATCH:
            chosen.setdefault(event.record, event)
    return Batch(connection, tuple(chosen.values())) if chosen else None


def _look(
    tx: Connection, connections: Collection[ConnectionName], now: datetime
) -> tuple[list[Due], datetime | None]:
    found = inbox_queue.due_events(tx, connections, now, ALL_LANES + BATCH)
    return found, inbox_queue.next_due_at(tx, connections, now)
