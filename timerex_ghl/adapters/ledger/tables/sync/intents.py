"""Intents and outcomes: a row before each write to GHL, completed after it.

An open intent was sent without a known outcome: the next handler checks GHL before it writes. One
with an error was refused, and may have been done all the same.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import RefText, UtcTime, metadata, of_rows_where
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence, all_valid
from timerex_ghl.domain.shared.actions import Action
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.domain.shared.record_ref import RecordRef

LONGEST_ERROR = 500

_intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("record_key", RefText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("result_id", Text),
    Column("error", Text),
    Column("recovered", Boolean, nullable=False),
    Index("ix_intents_open", "connection", "record_key", **of_rows_where("state = 'open'")),
    Index(None, "created_at"),
)


class LostLockError(RetryableError):
    """The lock expired, and another process may be writing this record: nothing was sent."""


class Intent(Record):
    """One write to GHL.

    Attributes:
        record_key: The record written to.
        kind: The action's kind, for example `contact.create`.
        payload: The action as JSON.
        state: `open` while its outcome is not known.
        result_id: Id of the created or changed record in GHL.
        recovered: The outcome was found later, not in GHL's answer.
    """

    id: str
    connection: ConnectionName
    record_key: RecordRef
    kind: str
    payload: str
    state: Literal["open", "done", "failed"]
    run_id: str | None
    created_at: AwareDatetime
    result_id: str | None
    error: str | None
    recovered: bool


class NewIntent(NamedTuple):
    """A write that is about to be sent, by the holder of the record's lock."""

    connection: ConnectionName
    record_key: RecordRef
    action: Action
    run_id: str | None
    fence: Fence
    now: datetime


class Closing(NamedTuple):
    """The outcome of a write. `result_id`: the record written; None where it failed."""

    intent_id: str
    result_id: str | None
    error: str | None = None
    recovered: bool = False


def open_all(tx: Connection, several: Sequence[NewIntent]) -> list[str]:
    """Record several writes; return their ids in the same order.

    Raises:
        LostLockError: The lock of one of them expired.
    """
    for new, is_owned in zip(several, all_valid(tx, [new.fence for new in several]), strict=True):
        if not is_owned:
            raise LostLockError(f"the lock of {new.record_key} expired: nothing was sent")
    rows = [_row_of(new) for new in several]
    tx.execute(_OPEN, rows)
    return [str(row["id"]) for row in rows]


def close_intents(tx: Connection, closings: Sequence[Closing]) -> None:
    """Record the outcomes of writes, each once.

    Raises:
        LostLockError: Another process recorded one of them already.
    """
    if not closings:
        return
    closed = tx.execute(
        _CLOSE,
        [
            {
                "intent": closing.intent_id,
                "state": "failed" if closing.result_id is None else "done",
                "result_id": closing.result_id,
                "error": None if closing.error is None else closing.error[:LONGEST_ERROR],
                "recovered": closing.recovered,
            }
            for closing in closings
        ],
    )
    if closed.rowcount < len(closings):
        ids = ", ".join(closing.intent_id for closing in closings[:5])
        raise LostLockError(f"the outcome of {ids} is recorded already")


def note_refusal(tx: Connection, intent_id: str, error: str) -> None:
    """Record that a write was refused which may have been done all the same. It stays open."""
    tx.execute(_REFUSE, {"intent": intent_id, "reason": error[:LONGEST_ERROR]})


_OPEN = insert(_intents)
_IS_OPEN = _intents.c.state == literal_column("'open'")  # as its index has it
_REFUSE = (
    update(_intents)
    .where(_intents.c.id == bindparam("intent"), _IS_OPEN)
    .values(error=bindparam("reason"))
)
_CLOSE = update(_intents).where(_intents.c.id == bindparam("intent"), _IS_OPEN)


_OPEN_ONES = (
    select(_intents)
    .where(
        _intents.c.connection == bindparam("of"),
        _intents.c.record_key.in_(bindparam("keys", expanding=True)),
        _IS_OPEN,
    )
    .order_by(_intents.c.created_at, _intents.c.id)
)


def _row_of(new: NewIntent) -> dict[str, object]:
    return {
        "id": f"i_{secrets.token_hex(10)}",
        "connection": new.connection,
        "record_key": new.record_key,
        "kind": new.action.kind,
        "payload": new.action.model_dump_json(),
        "state": "open",
        "run_id": new.run_id,
        "created_at": new.now,
        "recovered": False,
    }


def open_by_record(
    tx: Connection, connection: ConnectionName, record_keys: Sequence[RecordRef]
) -> dict[RecordRef, list[Intent]]:
    """Group the intents of `open_intents` by record."""
    found: dict[RecordRef, list[Intent]] = {}
    for intent in open_intents(tx, connection, record_keys):
        found.setdefault(intent.record_key, []).append(intent)
    return found


def open_intents(
    tx: Connection, connection: ConnectionName, record_keys: Sequence[RecordRef]
) -> list[Intent]:
    """List the open intents of these records, oldest first."""
    rows = tx.execute(_OPEN_ONES, {"of": connection, "keys": [*record_keys]})
    return [Intent.model_validate(dict(row)) for row in rows.mappings()]


def open_of_kind(tx: Connection, connection: ConnectionName, kind: str) -> list[Intent]:
    """List the open intents of one kind, oldest first. There are few at any time."""
    rows = tx.execute(
        select(_intents)
        .where(
            _intents.c.connection == connection,
            _IS_OPEN,
            _intents.c.kind == kind,
        )
        .order_by(_intents.c.created_at, _intents.c.id)
    )
    return [Intent.model_validate(dict(row)) for row in rows.mappings()]


def forget_closed(tx: Connection, before: datetime, rows: int) -> int:
    """Delete writes before a time whose outcome is known, oldest first; return their number."""
    old = (
        select(_intents.c.id)
        .where(_intents.c.created_at < before, _intents.c.state != "open")
        .order_by(_intents.c.created_at)
        .limit(rows)
    )
    return tx.execute(delete(_intents).where(_intents.c.id.in_(old))).rowcount


def count_done(tx: Connection, connection: ConnectionName, since: datetime) -> dict[str, int]:
    """Count the writes that reached GHL since a time, by kind."""
    return _count(tx, _intents.c.connection == connection, _intents.c.created_at >= since)


def _count(tx: Connection, *conditions: ColumnElement[bool]) -> dict[str, int]:
    rows = tx.execute(
        select(_intents.c.kind, func.count().label("number"))
        .where(_intents.c.state == "done", *conditions)
        .group_by(_intents.c.kind)
        .order_by(_intents.c.kind)
    )
    return {row.kind: row.number for row in rows}
