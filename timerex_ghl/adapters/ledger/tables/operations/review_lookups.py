"""What other look-ups need to know of reviews: which records and events wait for an answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, exists, literal, or_, select

from timerex_ghl.adapters.ledger.tables.operations.reviews import (
    DROPPED,
    IS_OPEN,
    events_of,
    reviews,
)
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordKind


def waiting_events(tx: Connection, connection: ConnectionName) -> set[EventId]:
    """Return the events that wait for the answer of an open review."""
    found = tx.execute(
        select(reviews.c.subject, reviews.c.detail).where(IS_OPEN), {"of": connection}
    )
    return {event for subject, detail in found for event in events_of(subject, detail)}


def is_touched(tx: Connection, connection: ConnectionName, since: datetime) -> bool:
    """Return whether a review was opened or resolved since a time."""
    recent = or_(reviews.c.opened_at >= since, reviews.c.resolved_at >= since)
    touched = exists().where(reviews.c.connection == connection, recent)
    return tx.execute(select(touched)).scalar_one()


def is_set_aside(
    kind: RecordKind,
    connection: ColumnElement[Any],
    record_id: ColumnElement[Any],
    record_state: ColumnElement[Any],
) -> ColumnElement[bool]:
    """Return the SQL condition that a record has a review for its current state."""
    return exists().where(
        reviews.c.connection == connection,
        reviews.c.subject == literal(f"{kind}:") + record_id,
        reviews.c.record_state == cast(record_state, Text),
        or_(reviews.c.resolved_at.is_(None), reviews.c.decision == DROPPED),
    )
