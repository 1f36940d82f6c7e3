"""Reviews: records that need a person's decision, with the reason and the resolution."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    insert,
    literal,
    or_,
    select,
    text,
    type_coerce,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import (
    JsonText,
    RefText,
    UtcTime,
    metadata,
    of_rows_where,
)
from timerex_ghl.domain.shared.errors import ReviewKind
from timerex_ghl.domain.shared.models import ConnectionName, EventId, Record
from timerex_ghl.domain.shared.record_ref import RecordKind, RecordRef

_reviews = Table(
    "reviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", RefText, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JsonText, nullable=False),
    Column("record_state", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("resolved_at", UtcTime),
    Column("resolved_by", Text),
    Column("decision", Text),
    Index(
        "uq_reviews_open",
        "connection",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("resolved_at IS NULL"),
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index(None, "connection", "subject"),
    Index("ix_reviews_answered", "resolved_at", **of_rows_where("decision <> 'drop'")),
)


_IS_OPEN = and_(_reviews.c.connection == bindparam("of"), _reviews.c.resolved_at.is_(None))
_CONFLICTS = select(_reviews.c.subject).where(_IS_OPEN, _reviews.c.kind == "conflict")
_WENT_THROUGH = (
    update(_reviews)
    .where(_IS_OPEN, _reviews.c.subject.in_(bindparam("subjects", expanding=True)))
    .values(decision="went through", resolved_by=bindparam("by"), resolved_at=bindparam("now"))
    .returning(_reviews.c.detail)
)


class Review(Record):
    """One question for a person.

    Attributes:
        subject: The record, or the field in conflict.
        detail: Data for the decision; may contain personal data and never leaves the ledger.
        record_state: Version or digest of the record when it was opened: once that changes, the
            record is tried again.
    """

    id: str
    connection: ConnectionName
    kind: ReviewKind
    subject: RecordRef
    reason: str
    detail: dict[str, Any]
    record_state: str
    opened_at: AwareDatetime
    resolved_at: AwareDatetime | None
    resolved_by: str | None
    decision: str | None

    @property
    def record_ids(self) -> frozenset[str]:
        """Return the ids of its record and of all candidates in doubt."""
        candidates = [*self.detail.get("people", ()), *self.detail.get("ghl_ids", ())]
        return self.subject.ids.union(candidates)

    @property
    def events(self) -> list[EventId]:
        """Return the events that wait for its answer."""
        own = [EventId(self.subject.id)] if self.subject.kind == "event" else []
        return [*own, *map(EventId, self.detail.get("events", ()))]


DROPPED = "drop"
"""The decision to leave a record as it is; the same review is not opened again."""


def open_review(  # noqa: PLR0913  one argument a column
    tx: Connection,
    *,
    connection: ConnectionName,
    kind: ReviewKind,
    subject: RecordRef,
    reason: str,
    detail: Mapping[str, Any],
    record_state: str = "",
    now: datetime,
) -> tuple[str, bool]:
    """Open a review, or update the open one; return its id and whether it is new.

    A review resolved with `drop` is not opened again for the same reason: the decision then counts
    for the record's current state. This does not apply to events: only a person replays those.
    """
    values = {"reason": reason, "detail": dict(detail), "record_state": record_state}
    same = (
        _reviews.c.connection == connection,
        _reviews.c.kind == kind,
        _reviews.c.subject == subject,
    )
    answered = and_(
        _reviews.c.reason == reason,
        _reviews.c.decision == DROPPED,
        type_coerce(_reviews.c.subject, Text).not_like("event:%"),
    )
    known = tx.scalar(
        select(_reviews.c.id)
        .where(*same, or_(_reviews.c.resolved_at.is_(None), answered))
        .order_by(_reviews.c.resolved_at.is_not(None))
        .limit(1)
    )
    if known is not None:
        tx.execute(update(_reviews).where(_reviews.c.id == known).values(**values))
        return known, False
    review_id = f"r_{secrets.token_hex(8)}"
    row = {"id": review_id, "connection": connection, "kind": kind, "subject": subject}
    tx.execute(insert(_reviews).values(**row, **values, opened_at=now))
    return review_id, True


def resolve_review(
    tx: Connection, review_id: str, *, decision: str, by: str, now: datetime
) -> bool:
    """Resolve a review, once; False where it was resolved already."""
    updated = tx.execute(
        update(_reviews)
        .where(_reviews.c.id == review_id, _reviews.c.resolved_at.is_(None))
        .values(decision=decision, resolved_by=by, resolved_at=now)
    )
    return updated.rowcount > 0


def get_review(tx: Connection, review_id: str) -> Review | None:
    """Read a review, open or resolved."""
    row = tx.execute(select(_reviews).where(_reviews.c.id == review_id)).mappings().one_or_none()
    return None if row is None else Review.model_validate(dict(row))


def conflict_subjects(tx: Connection, connection: ConnectionName) -> list[RecordRef]:
    """List the subjects of open conflict reviews."""
    return [*tx.scalars(_CONFLICTS, {"of": connection})]


def open_of(tx: Connection, connection: ConnectionName, kind: ReviewKind) -> list[Review]:
    """List the open reviews of one kind."""
    rows = tx.execute(
        select(_reviews).where(
            _reviews.c.connection == connection,
            _reviews.c.kind == kind,
            _reviews.c.resolved_at.is_(None),
        )
    ).mappings()
    return [Review.model_validate(dict(row)) for row in rows]


def close_reviews(
    tx: Connection,
    connection: ConnectionName,
    subjects: Collection[RecordRef],
    *,
    by: str,
    now: datetime,
) -> list[EventId]:
    """Close the open reviews of records that were synced since; return the events that wait."""
    if not subjects:
        return []
    values = {"of": connection, "subjects": [*subjects], "by": by, "now": now}
    closed = tx.scalars(_WENT_THROUGH, values)
    return [EventId(event) for detail in closed for event in detail.get("events", ())]


def open_about(
    tx: Connection, connection: ConnectionName, kind: ReviewKind, subject: RecordRef
) -> Review | None:
    """Read the open review of one kind about a record."""
    row = (
        tx.execute(
            select(_reviews).where(
                _reviews.c.connection == connection,
                _reviews.c.kind == kind,
                _reviews.c.subject == subject,
                _reviews.c.resolved_at.is_(None),
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Review.model_validate(dict(row))


def open_reviews(tx: Connection, connection: ConnectionName) -> list[Review]:
    """List the open reviews, oldest first."""
    rows = tx.execute(
        select(_reviews)
        .where(_reviews.c.connection == connection, _reviews.c.resolved_at.is_(None))
        .order_by(_reviews.c.opened_at, _reviews.c.id)
    ).mappings()
    return [Review.model_validate(dict(row)) for row in rows]


def forget_answered(tx: Connection, before: datetime, rows: int) -> int:
    """Delete reviews resolved before a time, oldest first; return their number.

    Those resolved with `drop` stay: the decision counts for good.
    """
    old = (
        select(_reviews.c.id)
        .where(_reviews.c.resolved_at < before, text("decision <> 'drop'"))  # as its index has it
        .order_by(_reviews.c.resolved_at)
        .limit(rows)
    )
    return tx.execute(delete(_reviews).where(_reviews.c.id.in_(old))).rowcount


def is_touched(tx: Connection, connection: ConnectionName, since: datetime) -> bool:
    """Return whether a review was opened or resolved since a time."""
    recent = or_(_reviews.c.opened_at >= since, _reviews.c.resolved_at >= since)
    touched = exists().where(_reviews.c.connection == connection, recent)
    return tx.execute(select(touched)).scalar_one()


def is_set_aside(
    kind: RecordKind,
    connection: ColumnElement[Any],
    record_id: ColumnElement[Any],
    record_state: ColumnElement[Any],
) -> ColumnElement[bool]:
    """Return the SQL condition that a record has a review for its current state."""
    return exists().where(
        _reviews.c.connection == connection,
        _reviews.c.subject == literal(f"{kind}:") + record_id,
        _reviews.c.record_state == cast(record_state, Text),
        or_(_reviews.c.resolved_at.is_(None), _reviews.c.decision == DROPPED),
    )


def is_asked_about(
    kind: RecordKind, connection: ColumnElement[Any], record_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Return the SQL condition that a record has an open review."""
    return exists().where(
        _reviews.c.connection == connection,
        _reviews.c.subject == literal(f"{kind}:") + record_id,
        _reviews.c.resolved_at.is_(None),
    )
