"""Reviews: what waits for a person, with the reason, and who settled it how."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from timerex_ghl.adapters.ledger.schema import JsonText, UtcTime, metadata
from timerex_ghl.sync.models import ConnectionName, Record

ReviewKind = Literal["identity", "conflict", "no-key", "gone", "refused", "dead-letter"]

_reviews = Table(
    "reviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JsonText, nullable=False),
    Column("seen", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Column("settled_by", Text),
    Column("decision", Text),
    Index(
        "uq_reviews_open",
        "connection",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index(None, "connection", "subject"),
)


class Review(Record):
    """One thing that waits for a person.

    Attributes:
        subject: The record: `contact:<id>`, `ghl:<id>`, `event:<id>`.
        detail: What helps to decide; may hold personal values, and never leaves the ledger.
        seen: Version or digest of the record it was opened for: once that changes, it is tried.
    """

    id: str
    connection: ConnectionName
    kind: ReviewKind
    subject: str
    reason: str
    detail: dict[str, Any]
    seen: str
    opened_at: AwareDatetime
    settled_at: AwareDatetime | None
    settled_by: str | None
    decision: str | None


def open_review(  # noqa: PLR0913  one argument a column
    tx: Connection,
    *,
    connection: ConnectionName,
    kind: ReviewKind,
    subject: str,
    reason: str,
    detail: Mapping[str, Any],
    seen: str = "",
    now: datetime,
) -> tuple[str, bool]:
    """Ask a person, once: an open review of the same is brought up to date; tell if it is new."""
    values = {"reason": reason, "detail": dict(detail), "seen": seen}
    known = tx.scalar(
        select(_reviews.c.id).where(
            _reviews.c.connection == connection,
            _reviews.c.kind == kind,
            _reviews.c.subject == subject,
            _reviews.c.settled_at.is_(None),
        )
    )
    if known is not None:
        tx.execute(update(_reviews).where(_reviews.c.id == known).values(**values))
        return known, False
    review_id = f"r_{secrets.token_hex(8)}"
    row = {"id": review_id, "connection": connection, "kind": kind, "subject": subject}
    tx.execute(insert(_reviews).values(**row, **values, opened_at=now))
    return review_id, True


def settle_review(tx: Connection, review_id: str, *, decision: str, by: str, now: datetime) -> bool:
    """Note how a review was settled, once; False where somebody was faster."""
    settled = tx.execute(
        update(_reviews)
        .where(_reviews.c.id == review_id, _reviews.c.settled_at.is_(None))
        .values(decision=decision, settled_by=by, settled_at=now)
    )
    return settled.rowcount > 0


def settle_subject(
    tx: Connection, connection: ConnectionName, subject: str, *, by: str, now: datetime
) -> None:
    """Settle what was open about a record that meanwhile went through."""
    tx.execute(
        update(_reviews)
        .where(
            _reviews.c.connection == connection,
            _reviews.c.subject == subject,
            _reviews.c.settled_at.is_(None),
        )
        .values(decision="went through", settled_by=by, settled_at=now)
    )


def open_reviews(tx: Connection, connection: ConnectionName) -> list[Review]:
    """List what waits, oldest first."""
    rows = tx.execute(
        select(_reviews)
        .where(_reviews.c.connection == connection, _reviews.c.settled_at.is_(None))
        .order_by(_reviews.c.opened_at, _reviews.c.id)
    ).mappings()
    return [Review.model_validate(dict(row)) for row in rows]


def count_open(tx: Connection, connection: ConnectionName) -> int:
    """Count what waits."""
    return tx.execute(
        select(func.count()).where(
            _reviews.c.connection == connection, _reviews.c.settled_at.is_(None)
        )
    ).scalar_one()


def is_set_aside(
    prefix: str,
    connection: ColumnElement[Any],
    record_id: ColumnElement[Any],
    seen: ColumnElement[Any],
) -> ColumnElement[bool]:
    """Tell of a record, in a query, whether it waits for a person just as it is now."""
    return exists().where(
        _reviews.c.connection == connection,
        _reviews.c.subject == literal(prefix) + record_id,
        _reviews.c.seen == cast(seen, Text),
        _reviews.c.settled_at.is_(None),
    )
