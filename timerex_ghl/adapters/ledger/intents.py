"""Intents and outcomes: a row before each write to GHL, completed after it.

An intent that stays open was sent and never heard of again: whoever comes next looks first.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Literal

from pydantic import AwareDatetime
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from timerex_ghl.adapters.ledger.locks import Fence, holds
from timerex_ghl.adapters.ledger.schema import UtcTime, metadata
from timerex_ghl.sync.actions import Action
from timerex_ghl.sync.errors import RetryableError
from timerex_ghl.sync.models import ConnectionName, Record

LONGEST_ERROR = 500

_intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("record_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("result_id", Text),
    Column("error", Text),
    Column("recovered", Boolean, nullable=False),
    Index(None, "connection", "record_key", "state"),
    Index(None, "connection", "created_at"),
    Index(None, "run_id"),
)


class LostLockError(RetryableError):
    """The lock ran out, and somebody else may be writing this record: nothing was sent."""


class Intent(Record):
    """One write to GHL.

    Attributes:
        record_key: Whose write it is.
        kind: The action's kind, for example `contact.create`.
        payload: The action as JSON.
        state: open: its outcome is not known.
        result_id: What it made or changed in GHL.
        recovered: The outcome was found out later, not answered.
    """

    id: str
    connection: ConnectionName
    record_key: str
    kind: str
    digest: str
    payload: str
    state: Literal["open", "done", "failed"]
    run_id: str | None
    created_at: AwareDatetime
    closed_at: AwareDatetime | None
    result_id: str | None
    error: str | None
    recovered: bool


def open_intent(
    tx: Connection,
    *,
    connection: ConnectionName,
    record_key: str,
    action: Action,
    run_id: str | None,
    fence: Fence,
    now: datetime,
) -> str:
    """Note what is about to be written, while the lock is surely held.

    Raises:
        LostLockError: It is not.
    """
    if not holds(tx, fence):
        raise LostLockError(f"the lock of {record_key} ran out: nothing was sent")
    payload = action.model_dump_json()
    intent_id = f"i_{secrets.token_hex(10)}"
    tx.execute(
        insert(_intents).values(
            id=intent_id,
            connection=connection,
            record_key=record_key,
            kind=action.kind,
            digest=blake2b(payload.encode(), digest_size=16).hexdigest(),
            payload=payload,
            state="open",
            run_id=run_id,
            created_at=now,
            recovered=False,
        )
    )
    return intent_id


def close_intent(
    tx: Connection,
    intent_id: str,
    *,
    state: Literal["done", "failed"],
    result_id: str | None,
    error: str | None,
    recovered: bool,
    now: datetime,
) -> None:
    """Note the outcome of a write, once.

    Raises:
        LostLockError: Somebody else noted it already: they went on from here.
    """
    closed = tx.execute(
        update(_intents)
        .where(_intents.c.id == intent_id, _intents.c.state == "open")
        .values(
            state=state,
            result_id=result_id,
            error=None if error is None else error[:LONGEST_ERROR],
            recovered=recovered,
            closed_at=now,
        )
    )
    if closed.rowcount == 0:
        raise LostLockError(f"the outcome of {intent_id} is known already")


def open_intents(
    tx: Connection, connection: ConnectionName, record_keys: Sequence[str]
) -> list[Intent]:
    """List the writes to these records whose outcome is not known, oldest first."""
    rows = tx.execute(
        select(_intents)
        .where(
            _intents.c.connection == connection,
            _intents.c.record_key.in_(record_keys),
            _intents.c.state == "open",
        )
        .order_by(_intents.c.created_at, _intents.c.id)
    ).mappings()
    return [Intent.model_validate(dict(row)) for row in rows]


def count_done(tx: Connection, connection: ConnectionName, since: datetime) -> dict[str, int]:
    """Count the writes that reached GHL since a time, by kind."""
    return _count(tx, _intents.c.connection == connection, _intents.c.created_at >= since)


def count_by_run(tx: Connection, run_id: str) -> dict[str, int]:
    """Count the writes of a run that reached GHL, by kind."""
    return _count(tx, _intents.c.run_id == run_id)


def _count(tx: Connection, *conditions: ColumnElement[bool]) -> dict[str, int]:
    rows = tx.execute(
        select(_intents.c.kind, func.count().label("number"))
        .where(_intents.c.state == "done", *conditions)
        .group_by(_intents.c.kind)
        .order_by(_intents.c.kind)
    )
    return {row.kind: row.number for row in rows}
