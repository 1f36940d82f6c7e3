"""The inbox: every delivery is stored here before it is acknowledged, and ends in one state."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from timerex_ghl.adapters.ledger.db.schema import SERIAL, RefText, UtcTime, metadata, of_rows_where
from timerex_ghl.adapters.ledger.db.wake import announce
from timerex_ghl.domain.shared.models import ConnectionName, EventId, Record
from timerex_ghl.domain.shared.record_ref import RecordRef

Source = Literal["timerex", "ghl", "workspace"]
Origin = Literal["webhook", "poll", "edit", "review", "timer"]
"""What stored an event. `review`: a person released what had been pending. `timer`: a handler, to
look at a record again later."""

_UNIQUE = ("connection", "source", "dedupe_key")
_WHILE_WAITING = of_rows_where("state = 'waiting'")
_WHILE_SET_ASIDE = of_rows_where("state IN ('dead', 'quarantined', 'review')")

events = Table(
    "inbox",
    metadata,
    Column("seq", SERIAL, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("connection", Text, nullable=False),  # "": of no connection, so that it counts as equal
    Column("source", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcTime),
    Column("error", Text),
    Column("finished_at", UtcTime),
    Column("record", RefText, nullable=False),
    UniqueConstraint(*_UNIQUE),
    Index(None, "connection", "state", "seq"),
    Index("ix_inbox_waiting", "connection", "seq", **_WHILE_WAITING),
    Index("ix_inbox_waiting_record", "connection", "record", **_WHILE_WAITING),
    Index("ix_inbox_set_aside", "connection", "record", **_WHILE_SET_ASIDE),
    sqlite_autoincrement=True,
)

# As the partial indexes have them.
IS_WAITING = events.c.state == literal_column("'waiting'")
IS_SET_ASIDE = events.c.state.in_(map(literal_column, ("'dead'", "'quarantined'", "'review'")))

# Built once: building a statement costs more than executing it.
_STORE_SQLITE, _STORE_POSTGRESQL = (
    engine.insert(events).on_conflict_do_nothing(index_elements=_UNIQUE).returning(events.c.id)
    for engine in (sqlite, postgresql)
)
_BY_ID = select(events).where(events.c.id == bindparam("event"))
_FINISH = (
    update(events)
    .where(events.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=bindparam("to"),
        finished_at=bindparam("now"),
        next_at=None,
        error=bindparam("note"),
    )
)
_KNOWN = select(events.c.id).where(*(events.c[name] == bindparam(name) for name in _UNIQUE))


class InboxState(StrEnum):
    """State of an event. All but WAITING are final."""

    WAITING = "waiting"
    APPLIED = "applied"
    NO_OP = "no-op"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    REVIEW = "review"
    DEAD = "dead"


class InboxEvent(Record):
    """One delivery.

    Attributes:
        connection: None where it belongs to no connection.
        dedupe_key: Equal for repetitions of a delivery.
        body: The raw JSON text.
        next_at: Earliest time of the next attempt; None: now.
        error: The last error, or a note on the final state.
        seq: Order of arrival.
        record: None where it has none that we store.
    """

    id: EventId
    connection: ConnectionName | None
    source: Source
    origin: Origin
    type: str
    dedupe_key: str
    body: str
    received_at: AwareDatetime
    state: InboxState
    attempts: int
    next_at: AwareDatetime | None
    error: str | None
    seq: int
    record: RecordRef | None = None


class Arrival(NamedTuple):
    """A delivery to store.

    Attributes:
        connection: None where it belongs to no connection.
        due_at: When it is to be processed, and from when on it counts as late; None: now.
    """

    connection: ConnectionName | None
    source: Source
    type: str
    dedupe_key: str
    body: str
    state: InboxState = InboxState.WAITING
    record: RecordRef | None = None
    note: str = ""
    origin: Origin = "webhook"
    due_at: datetime | None = None


class Stored(NamedTuple):
    """The event of a delivery. `is_new`: False for a repetition."""

    event_id: EventId
    is_new: bool


def store_events(tx: Connection, arrivals: Sequence[Arrival], now: datetime) -> list[Stored]:
    """Store deliveries, each once; return their events in the same order.

    A repetition leaves the stored event unchanged. Many cost little more than one.
    """
    rows = [_row_of(arrival, now) for arrival in arrivals]
    insert = _STORE_POSTGRESQL if tx.dialect.name == "postgresql" else _STORE_SQLITE
    new = {*tx.scalars(insert, rows)} if rows else set[str]()
    if new:
        announce(tx)
    return [
        Stored(EventId(row["id"]), is_new=True)
        if row["id"] in new
        else Stored(EventId(tx.execute(_KNOWN, row).scalar_one()), is_new=False)
        for row in rows
    ]


def store_event(  # noqa: PLR0913  one argument a column
    tx: Connection,
    *,
    connection: ConnectionName | None,
    source: Source,
    type: str,  # noqa: A002  the vendors' word
    dedupe_key: str,
    body: str,
    now: datetime,
    state: InboxState = InboxState.WAITING,
    record: RecordRef | None = None,
    origin: Origin = "webhook",
) -> tuple[EventId, bool]:
    """Store a delivery once; return its event's id, and whether it is new."""
    arrival = Arrival(connection, source, type, dedupe_key, body, state, record, origin=origin)
    return store_events(tx, [arrival], now)[0]


def read_event(tx: Connection, event_id: EventId) -> InboxEvent | None:
    """Read one event."""
    row = tx.execute(_BY_ID, {"event": event_id}).mappings().one_or_none()
    return None if row is None else _to_event(row)


def waiting_events(
    tx: Connection,
    connection: ConnectionName | None,
    now: datetime,
    limit: int = 500,
    *,
    fresh_since: datetime | None = None,
) -> list[EventId]:
    """List the events that are due, oldest first.

    Args:
        tx: Open transaction.
        connection: The connection's name; None for events of no connection.
        now: Events postponed beyond this time are left out.
        limit: Largest number of events.
        fresh_since: Untried events received later are left out: the live worker handles them.
    """
    is_backlog = (
        true()
        if fresh_since is None
        else or_(events.c.received_at <= fresh_since, events.c.next_at.is_not(None))
    )
    ids = tx.scalars(
        select(events.c.id)
        .where(
            events.c.connection == (connection or ""),
            IS_WAITING,
            or_(events.c.next_at.is_(None), events.c.next_at <= now),
            is_backlog,
        )
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [EventId(event_id) for event_id in ids]


def finish_events(
    tx: Connection,
    event_ids: Collection[EventId],
    state: InboxState,
    *,
    now: datetime,
    note: str = "",
) -> None:
    """Set the final state of events."""
    tx.execute(_FINISH, {"ids": [*event_ids], "to": state, "now": now, "note": note or None})


def requeue_event(tx: Connection, event_id: EventId) -> None:
    """Put a finished event back into the queue, as if it were new."""
    tx.execute(
        update(events)
        .where(events.c.id == event_id)
        .values(state=InboxState.WAITING, finished_at=None, attempts=0, next_at=None)
    )
    announce(tx)


def postpone_events(
    tx: Connection,
    event_ids: Collection[EventId],
    *,
    error: str,
    next_at: datetime,
    counts: bool = True,
) -> None:
    """Postpone events to their next attempt. `counts` False (a 429): not counted as an attempt."""
    tx.execute(
        update(events)
        .where(events.c.id.in_(event_ids))
        .values(
            state=InboxState.WAITING,
            finished_at=None,
            attempts=events.c.attempts + int(counts),
            next_at=next_at,
            error=error,
        )
    )


def _row_of(arrival: Arrival, now: datetime) -> dict[str, Any]:
    values = arrival._asdict()
    note, due_at = values.pop("note"), values.pop("due_at")
    return {
        **values,
        "id": f"e_{secrets.token_hex(10)}",
        "connection": arrival.connection or "",
        "received_at": due_at or now,
        "next_at": due_at,
        "attempts": 0,
        "error": note or None,
        "finished_at": None if arrival.state is InboxState.WAITING else now,
    }


def _to_event(row: RowMapping) -> InboxEvent:
    values = {name: row[name] for name in InboxEvent.model_fields}
    return InboxEvent.model_validate({**values, "connection": row["connection"] or None})
