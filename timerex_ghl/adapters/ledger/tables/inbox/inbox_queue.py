"""Pending and due events of the inbox: the queries of the live worker's loop."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, func, literal_column, or_, select

from timerex_ghl.adapters.ledger.tables.inbox.inbox import (
    IS_WAITING,
    InboxEvent,
    InboxState,
    events,
    read_event,
)
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef


class Due(NamedTuple):
    """An event that is due. `record`: its record, or the event itself where it has none."""

    id: EventId
    connection: ConnectionName
    record: RecordRef


class Group(NamedTuple):
    """An event, and older ones of the same record that it replaces.

    They are notifications: reading the record once covers all of them.
    """

    event: InboxEvent
    older: tuple[EventId, ...] = ()

    @property
    def ids(self) -> list[EventId]:
        """Return the ids of all of them, newest first."""
        return [self.event.id, *self.older]


class Waiting(NamedTuple):
    """The pending events of a connection. `since`: when the oldest was received."""

    number: int
    since: datetime | None


def due_events(
    tx: Connection, connections: Collection[ConnectionName], now: datetime, limit: int
) -> dict[ConnectionName, list[Due]]:
    """List the events that are due by connection, oldest first, at most `limit` each.

    So a connection with many events does not block the others.
    """
    waiting = tx.scalars(select(events.c.connection).where(IS_WAITING).distinct())
    found: dict[ConnectionName, list[Due]] = {}
    for connection in sorted({*waiting} & {*connections}):
        rows = tx.execute(
            select(events.c.id, events.c.record)
            .where(events.c.connection == connection, IS_WAITING, _is_due(now))
            .order_by(events.c.seq)
            .limit(limit)
        )
        name = ConnectionName(connection)
        found[name] = [Due(row.id, name, row.record or RecordRef.event(row.id)) for row in rows]
    return found


def fresh_events(
    tx: Connection, connection: ConnectionName, now: datetime, since: datetime, limit: int
) -> list[Due]:
    """List due events received since a time, oldest first.

    Left out are those whose record has an older pending event: that comes first.
    """
    older = events.alias()
    has_older = exists().where(
        older.c.connection == events.c.connection,
        older.c.record == events.c.record,
        older.c.state == literal_column("'waiting'"),
        older.c.seq < events.c.seq,
    )
    rows = tx.execute(
        select(events.c.id, events.c.record)
        .where(events.c.connection == connection, IS_WAITING, _is_due(now))
        .where(events.c.received_at > since, ~has_older)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [Due(row.id, connection, row.record or RecordRef.event(row.id)) for row in rows]


def next_due_at(
    tx: Connection, connections: Collection[ConnectionName], now: datetime
) -> datetime | None:
    """Return when the next postponed event is due; None where none is postponed."""
    return tx.scalar(
        select(func.min(events.c.next_at)).where(
            IS_WAITING, events.c.next_at > now, events.c.connection.in_(connections)
        )
    )


def read_group(tx: Connection, event_id: EventId) -> Group | None:
    """Read an event with the pending ones that the same read of the record covers.

    A booking's delivery contains its data, so it is never grouped. Of notifications, the newest
    replaces all pending ones: the requested event may then be an older one.
    """
    event = read_event(tx, event_id)
    if event is None or event.state is not InboxState.WAITING:
        return None if event is None else Group(event)
    if event.source == "timerex" or event.record is None:
        return Group(event)
    ids: Sequence[str] = tx.scalars(
        select(events.c.id)
        .where(
            events.c.connection == (event.connection or ""),
            events.c.record == event.record,
            events.c.source == event.source,
            IS_WAITING,
        )
        .order_by(events.c.seq.desc())
    ).all()
    newest = event if ids[0] == event_id else read_event(tx, EventId(ids[0]))
    older = tuple(EventId(each) for each in ids[1:])
    return Group(newest or event, older)


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(events.c.next_at.is_(None), events.c.next_at <= now)


def what_waits(tx: Connection, connection: ConnectionName) -> Waiting:
    """Count the pending events, including postponed ones, with the oldest time of receipt."""
    row = tx.execute(
        select(func.count(), func.min(events.c.received_at)).where(
            events.c.connection == connection, IS_WAITING
        )
    ).one()
    return Waiting(row[0], row[1])
