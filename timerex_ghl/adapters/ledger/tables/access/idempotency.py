"""Stored answers to idempotent requests: the same key gets the same answer."""

from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Table,
    Text,
    delete,
    insert,
    select,
    tuple_,
)

from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata
from timerex_ghl.domain.shared.models import Record

KEPT_FOR = timedelta(hours=24)
"""Time a key is stored. Then the next new key or the housekeeping deletes it."""

_answers = Table(
    "api_answers",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("kept_at", UtcTime, nullable=False),
    Index(None, "kept_at"),
)


class StoredAnswer(Record):
    """The answer to the request that created a record.

    Attributes:
        request_digest: Digest of the request: another request may not use the same key.
        record_id: The created record.
        version: The record's version at that time.
        body: JSON of the answer, with personal data: returned to the same token only.
    """

    request_digest: str
    record_id: str
    version: int
    body: str


def find_answer(tx: Connection, token_id: str, key: str, now: datetime) -> StoredAnswer | None:
    """Find the answer to a token's request with this key within the last day."""
    row = tx.execute(
        select(_answers).where(
            _answers.c.token_id == token_id,
            _answers.c.key == key,
            _answers.c.kept_at > now - KEPT_FOR,
        )
    ).one_or_none()
    if row is None:
        return None
    return StoredAnswer.model_validate(
        {name: getattr(row, name) for name in StoredAnswer.model_fields}
    )


def keep_answer(
    tx: Connection, token_id: str, key: str, answer: StoredAnswer, now: datetime
) -> None:
    """Store an answer in the unit of work that created the record; delete those over a day old."""
    tx.execute(delete(_answers).where(_answers.c.kept_at <= now - KEPT_FOR))
    tx.execute(
        insert(_answers).values(token_id=token_id, key=key, kept_at=now, **answer.model_dump())
    )


def forget_answers(tx: Connection, now: datetime, rows: int) -> int:
    """Delete answers over a day old, oldest first; return their number."""
    key = (_answers.c.token_id, _answers.c.key)
    old = (
        select(*key)
        .where(_answers.c.kept_at <= now - KEPT_FOR)
        .order_by(_answers.c.kept_at)
        .limit(rows)
    )
    return tx.execute(delete(_answers).where(tuple_(*key).in_(old))).rowcount
