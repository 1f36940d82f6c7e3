"""The audit log: what was done to which record, by which run. Append-only.

On both databases, triggers from the first migration refuse changes of rows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    insert,
    or_,
    select,
)

from timerex_ghl.adapters.ledger.db.schema import SERIAL, JsonText, RefText, UtcTime, metadata
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.domain.shared.record_ref import RecordRef

Scalar = str | int | float | bool | None

_audit = Table(
    "audit",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("connection", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", RefText, nullable=False),
    Column("run_id", Text),
    Column("detail", JsonText, nullable=False),
    Column("flow_run_id", Text),
    Index(None, "connection", "id"),
    Index(None, "subject"),
    Index(None, "run_id"),
    Index(None, "flow_run_id"),
    sqlite_autoincrement=True,
)
_ADD = insert(_audit)


class AuditEntry(Record):
    """One entry of the audit log.

    Attributes:
        id: Rises with time and is never reused.
        subject: The record.
        run_id: The Prefect task run; None outside runs.
        detail: Ids, field names and counts; never a person's details.
    """

    id: int
    at: AwareDatetime
    connection: ConnectionName
    what: str
    subject: RecordRef
    run_id: str | None
    detail: dict[str, Scalar]
    flow_run_id: str | None = None


class NewAuditEntry(NamedTuple):
    """An entry to be added."""

    at: datetime
    connection: ConnectionName
    what: str
    subject: RecordRef
    run_id: str | None
    detail: Mapping[str, Scalar]
    flow_run_id: str | None = None


def record(  # noqa: PLR0913  one argument a column
    tx: Connection,
    *,
    connection: ConnectionName,
    what: str,
    subject: RecordRef,
    run_id: str | None,
    detail: Mapping[str, Scalar],
    now: datetime,
    flow_run_id: str | None = None,
) -> None:
    """Add an entry in the caller's unit of work: both are stored, or neither."""
    record_all(tx, [NewAuditEntry(now, connection, what, subject, run_id, detail, flow_run_id)])


def record_all(tx: Connection, deeds: Sequence[NewAuditEntry]) -> None:
    """Add entries, in this order."""
    if deeds:
        rows = [{**deed._asdict(), "detail": dict(deed.detail)} for deed in deeds]
        tx.execute(_ADD, rows)


def entries(tx: Connection, connection: ConnectionName, limit: int) -> list[AuditEntry]:
    """Read a connection's entries, newest first."""
    rows = tx.execute(
        select(_audit)
        .where(_audit.c.connection == connection)
        .order_by(_audit.c.id.desc())
        .limit(limit)
    )
    return [AuditEntry.model_validate(row, from_attributes=True) for row in rows]


def entries_since(
    tx: Connection, connection: ConnectionName, whats: Sequence[str], since: datetime, limit: int
) -> list[AuditEntry]:
    """Read entries of some kinds since a time, newest first, among the last `limit` entries."""
    return [
        entry
        for entry in entries(tx, connection, limit)
        if entry.what in whats and entry.at >= since
    ]


def entries_about(tx: Connection, subject: RecordRef) -> list[AuditEntry]:
    """Read the entries of one record, oldest first."""
    return _read(tx, _audit.c.subject == subject)


def entries_of_run(tx: Connection, run_id: str, limit: int) -> list[AuditEntry]:
    """Read the entries of a task run or flow run, oldest first."""
    return _read(tx, or_(_audit.c.run_id == run_id, _audit.c.flow_run_id == run_id), limit)


def _read(
    tx: Connection, condition: ColumnElement[bool], limit: int | None = None
) -> list[AuditEntry]:
    rows = tx.execute(select(_audit).where(condition).order_by(_audit.c.id).limit(limit))
    return [AuditEntry.model_validate(row, from_attributes=True) for row in rows]
