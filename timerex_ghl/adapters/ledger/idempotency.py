"""Answers to requests that may be repeated: the same key gives the same answer, once made."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Index, Integer, Table, Text, delete, insert, select

from timerex_ghl.adapters.ledger.schema import UtcTime, metadata
from timerex_ghl.domain.models import Record

KEPT_FOR = timedelta(hours=24)
"""How long a key is remembered at least. The next key that is kept clears away what is older."""

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
    """What was answered when a record was made.

    Attributes:
        request_digest: Of the request it answered: another one may not use the same key.
        record_id: The record that was made.
        version: Its version then.
        body: The answer's JSON, with a person's details: it goes to the same token only.
    """

    request_digest: str
    record_id: str
    version: int
    body: str


def find_answer(tx: Connection, token_id: str, key: str, now: datetime) -> StoredAnswer | None:
    """Find what a token's request with this key was answered within the last day."""
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
    """Keep an answer, in the unit of work that made the record; forget what is over a day old."""
    tx.execute(delete(_answers).where(_answers.c.kept_at <= now - KEPT_FOR))
    tx.execute(
        insert(_answers).values(token_id=token_id, key=key, kept_at=now, **answer.model_dump())
    )
