"""Reviews: records that need a person's decision, with the reason and the resolution."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

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
    delete,
    insert,
    or_,
    select,
    text,
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
from timerex_ghl.domain.shared.record_ref import RecordRef

reviews = Table(
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


IS_OPEN = and_(reviews.c.connection == bindparam("of"), reviews.c.resolved_at.is_(None))
_CONFLICTS = select(reviews.c.subject).where(IS_OPEN, reviews.c.kind == "conflict")
_WENT_THROUGH = (
    update(reviews)
    .where(IS_OPEN, reviews.c.subject.in_(bindparam("subjects", expanding=True)))
    .values(decision="went through", resolved_by=bindparam("by"), resolved_at=bindparam("now"))
    .returning(reviews.c.detail)
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
        return events_of(self.subject, self.detail)


def events_of(subject: RecordRef, detail: Mapping[str, Any]) -> list[EventId]:
    """Return the events that wait for the answer of a review."""
    own = [EventId(subject.id)] if subject.kind == "event" else []
    return [*own, *map(EventId, detail.get("events", ()))]


DROPPED = "drop"
"""The decision to leave a record as it is; the same review is not opened again."""


class OpenedReview(NamedTuple):
    """A review after `open_review`. `is_dropped`: a person chose before to leave it as it is."""

    id: str
    is_new: bool
    is_dropped: bool = False


def open_review(  # noqa: PLR0913  one argument a column
    tx: Connection,
    *,
    connection: ConnectionName,
    kind: ReviewKind,
    subject: RecordRef,
    reason: str,
    detail: Mapping[str, Any],
    record_state: str = "",
    asks_again: bool = False,
    now: datetime,
) -> OpenedReview:
    """Open a review, or update the open one.

    A review resolved with `drop` is not opened again for the same reason: the decision then counts
    for the record's current state.

    Args:
        tx: Open transaction.
        connection: The connection's name.
        kind: Why it is opened.
        subject: The record it is about.
        reason: In words, without personal data.
        detail: Data for the decision.
        record_state: Version or digest of the record.
        asks_again: Somebody did something new about the record: open it, though it was dropped.
        now: The current time.
    """
    values = {"reason": reason, "detail": dict(detail), "record_state": record_state}
    is_same = _is_about(connection, kind, subject)
    known = _open_or_dropped(tx, is_same, None if asks_again else reason)
    if known is not None:
        tx.execute(update(reviews).where(reviews.c.id == known.id).values(**values))
        return known
    review_id = f"r_{secrets.token_hex(8)}"
    row = {"id": review_id, "connection": connection, "kind": kind, "subject": subject}
    tx.execute(insert(reviews).values(**row, **values, opened_at=now))
    return OpenedReview(review_id, is_new=True)


def _is_about(
    connection: ConnectionName, kind: ReviewKind, subject: RecordRef
) -> ColumnElement[bool]:
    return and_(
        reviews.c.connection == connection,
        reviews.c.kind == kind,
        reviews.c.subject == subject,
    )


def _open_or_dropped(
    tx: Connection, is_same: ColumnElement[bool], dropped_reason: str | None
) -> OpenedReview | None:
    """Find the open review, else one that was dropped for this reason; None: no dropped one."""
    is_open = reviews.c.resolved_at.is_(None)
    is_dropped = and_(reviews.c.reason == dropped_reason, reviews.c.decision == DROPPED)
    found = tx.execute(
        select(reviews.c.id, reviews.c.resolved_at)
        .where(is_same, is_open if dropped_reason is None else or_(is_open, is_dropped))
        .order_by(reviews.c.resolved_at.is_not(None))
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    return OpenedReview(found.id, is_new=False, is_dropped=found.resolved_at is not None)


def resolve_review(
    tx: Connection, review_id: str, *, decision: str, by: str, now: datetime
) -> bool:
    """Resolve a review, once; False where it was resolved already."""
    updated = tx.execute(
        update(reviews)
        .where(reviews.c.id == review_id, reviews.c.resolved_at.is_(None))
        .values(decision=decision, resolved_by=by, resolved_at=now)
    )
    return updated.rowcount > 0


def get_review(tx: Connection, review_id: str) -> Review | None:
    """Read a review, open or resolved."""
    row = tx.execute(select(reviews).where(reviews.c.id == review_id)).mappings().one_or_none()
    return None if row is None else Review.model_validate(dict(row))


def conflict_subjects(tx: Connection, connection: ConnectionName) -> list[RecordRef]:
    """List the subjects of open conflict reviews."""
    return [*tx.scalars(_CONFLICTS, {"of": connection})]


def open_of(tx: Connection, connection: ConnectionName, kind: ReviewKind) -> list[Review]:
    """List the open reviews of one kind."""
    rows = tx.execute(
        select(reviews).where(
            reviews.c.connection == connection,
            reviews.c.kind == kind,
            reviews.c.resolved_at.is_(None),
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
            select(reviews).where(
                _is_about(connection, kind, subject), reviews.c.resolved_at.is_(None)
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Review.model_validate(dict(row))


def open_reviews(tx: Connection, connection: ConnectionName) -> list[Review]:
    """List the open reviews, oldest first."""
    rows = tx.execute(
        select(reviews)
        .where(reviews.c.connection == connection, reviews.c.resolved_at.is_(None))
        .order_by(reviews.c.opened_at, reviews.c.id)
    ).mappings()
    return [Review.model_validate(dict(row)) for row in rows]


def forget_answered(tx: Connection, before: datetime, rows: int) -> int:
    """Delete reviews resolved before a time, oldest first; return their number.

    Those resolved with `drop` stay: the decision counts for good.
    """
    old = (
        select(reviews.c.id)
        .where(reviews.c.resolved_at < before, text("decision <> 'drop'"))  # as its index has it
        .order_by(reviews.c.resolved_at)
        .limit(rows)
    )
    return tx.execute(delete(reviews).where(reviews.c.id.in_(old))).rowcount
