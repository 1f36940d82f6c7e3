"""Choose the next events: one batch per record at a time, and fair between connections.

A backlog, as after an outage, leaves one lane to events that have just been received.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.db.wake import Alarm
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue
from timerex_ghl.adapters.ledger.tables.inbox.inbox_queue import Due
from timerex_ghl.adapters.ledger.tables.sync import outages
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

FRESH = timedelta(minutes=1)
"""How long an event counts as just received."""

LOOK_EVERY_S = 1.0
"""Poll the inbox at least this often, even if the alarm does not ring."""


class Batch(NamedTuple):
    """Events of one connection, each about another record.

    Attributes:
        is_fresh: They pass a backlog.
    """

    connection: ConnectionName
    events: tuple[Due, ...]
    is_fresh: bool = False

    @property
    def event_ids(self) -> list[EventId]:
        """Return the events' ids."""
        return [event.id for event in self.events]


class DueEvents(NamedTuple):
    """The due events of a connection, oldest first.

    Attributes:
        fresh: Those received just now, where more are due than a batch takes.
    """

    oldest: list[Due]
    fresh: list[Due]


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
        self._fresh_lanes = Counter[ConnectionName]()
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
        batches = [batch for name, due in found.items() if (batch := self._choose(name, due, busy))]
        batches.sort(key=lambda batch: self._served[batch.connection])
        for batch in batches:
            self._lanes[batch.connection] += 1
            self._fresh_lanes[batch.connection] += batch.is_fresh
            self._served[batch.connection] += len(batch.events)
            self._in_progress |= {(batch.connection, event.record) for event in batch.events}
        if next_at is None:
            return batches, LOOK_EVERY_S
        return batches, min(max((next_at - self._clock()).total_seconds(), 0.01), LOOK_EVERY_S)

    def _choose(
        self,
        connection: ConnectionName,
        due: DueEvents,
        busy: Collection[tuple[ConnectionName, RecordRef]],
    ) -> Batch | None:
        """Choose a batch of the oldest events; while many wait, one lane is for fresh ones."""
        if due.fresh and not self._fresh_lanes[connection]:
            return _batch(connection, due.fresh, busy, is_fresh=True)
        old_lanes = self._lanes[connection] - self._fresh_lanes[connection]
        if len(due.oldest) > ALL_LANES and old_lanes == LANES - 1:
            return None
        return _batch(connection, due.oldest, busy)

    def done(self, batch: Batch) -> None:
        """Return a batch: its records may be processed again, and its lane is free."""
        self._lanes[batch.connection] -= 1
        self._fresh_lanes[batch.connection] -= batch.is_fresh
        self._in_progress -= {(batch.connection, event.record) for event in batch.events}
        self.wake()


def _batch(
    connection: ConnectionName,
    found: list[Due],
    busy: Collection[tuple[ConnectionName, RecordRef]],
    *,
    is_fresh: bool = False,
) -> Batch | None:
    chosen: dict[RecordRef, Due] = {}
    for event in found:
        if (connection, event.record) not in busy and len(chosen) < BATCH:
            chosen.setdefault(event.record, event)
    return Batch(connection, tuple(chosen.values()), is_fresh) if chosen else None


def _look(
    tx: Connection, connections: Collection[ConnectionName], now: datetime
) -> tuple[dict[ConnectionName, DueEvents], datetime | None]:
    up = {*connections} - outages.connections_without(tx, "GHL")
    found: dict[ConnectionName, DueEvents] = {}
    for connection, oldest in inbox_queue.due_events(tx, up, now, ALL_LANES + BATCH).items():
        fresh: list[Due] = []
        if len(oldest) > ALL_LANES:
            fresh = inbox_queue.fresh_events(tx, connection, now, now - FRESH, BATCH)
        found[connection] = DueEvents(oldest, fresh)
    return found, inbox_queue.next_due_at(tx, up, now)
