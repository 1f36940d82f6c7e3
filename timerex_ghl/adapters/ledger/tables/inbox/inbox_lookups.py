"""Lookups in the inbox: stored deliveries, and records with pending events."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from timerex_ghl.adapters.ledger.tables.inbox.inbox import (
    IS_SET_ASIDE,
    IS_WAITING,
    Source,
    events,
)
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef


class NamedDelivery(NamedTuple):
    """A stored delivery, with its record."""

    record: RecordRef | None
    type: str
    body: str


class SetAside(NamedTuple):
    """An event that was set aside for a person."""

    id: EventId
    record: RecordRef
    source: Source
    body: str


def known_events(
    tx: Connection, connection: ConnectionName, event_ids: Collection[EventId]
) -> set[EventId]:
    """Return which of these events are in a connection's inbox."""
    found = tx.scalars(
        select(events.c.id).where(events.c.connection == connection, events.c.id.in_(event_ids))
    )
    return {EventId(event_id) for event_id in found}


def known_dedupe_keys(
    tx: Connection, connection: ConnectionName, source: Source, keys: Collection[str]
) -> set[str]:
    """Return which of these deliveries are stored."""
    return set(
        tx.scalars(
            select(events.c.dedupe_key).where(
                events.c.connection == connection,
                events.c.source == source,
                events.c.dedupe_key.in_(keys),
            )
        )
    )


def waiting_records(
    tx: Connection, connection: ConnectionName, records: Collection[RecordRef]
) -> set[RecordRef]:
    """Return which of these records have pending events."""
    return set(
        tx.scalars(
            select(events.c.record).where(
                events.c.connection == connection,
                IS_WAITING,
                events.c.record.in_(records),
            )
        )
    )


def pending_of_record(
    tx: Connection, connection: ConnectionName, record: RecordRef, type_: str
) -> list[EventId]:
    """List the pending events of one type about a record."""
    found = tx.scalars(
        select(events.c.id).where(
            events.c.connection == connection,
            IS_WAITING,
            events.c.record == record,
            events.c.type == type_,
        )
    )
    return [EventId(event_id) for event_id in found]


def set_aside(
    tx: Connection, connection: ConnectionName, records: Collection[RecordRef]
) -> list[SetAside]:
    """List the events about these records that were set aside for a person."""
    found = tx.execute(
        select(events.c.id, events.c.record, events.c.source, events.c.body).where(
            events.c.connection == connection,
            IS_SET_ASIDE,
            events.c.record.in_(records),
        )
    )
    return [SetAside(EventId(row.id), row.record, row.source, row.body) for row in found]


def last_delivery_at(tx: Connection, connection: ConnectionName, source: Source) -> datetime | None:
    """Return when the last webhook of a source was received; None: never."""
    return tx.scalar(
        select(events.c.received_at)
        .where(
            events.c.connection == connection,
            events.c.source == source,
            events.c.origin == "webhook",
        )
        .order_by(events.c.seq.desc())
        .limit(1)
    )


def polled_since(tx: Connection, connection: ConnectionName, since: datetime) -> list[str]:
    """Return the bodies of events that polls of TimeRex stored since a time."""
    return list(
        tx.scalars(
            select(events.c.body).where(
                events.c.connection == connection,
                events.c.source == "timerex",
                events.c.origin == "poll",
                events.c.received_at >= since,
            )
        )
    )


def deliveries_naming(
    tx: Connection, connection: ConnectionName, source: Source, words: str, since: datetime
) -> list[NamedDelivery]:
    """List the deliveries since a time whose body contains these words (a scan of all since)."""
    found = tx.execute(
        select(events.c.record, events.c.type, events.c.body)
        .where(
            events.c.connection == connection,
            events.c.source == source,
            events.c.received_at >= since,
            events.c.body.contains(words, autoescape=True),
        )
        .order_by(events.c.seq)
    )
    return [NamedDelivery(row.record, row.type, row.body) for row in found]
