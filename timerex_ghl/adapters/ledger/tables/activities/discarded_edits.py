"""Edits of notes and tasks that a delete in the other system discarded, kept to be looked up."""

from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Table, Text, literal, select, tuple_

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.adapters.ledger.tables.sync.differences import RecordPlace
from timerex_ghl.domain.activities.activity_fields import ActivityKind
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit
from timerex_ghl.domain.shared.models import ConnectionName

_discarded = Table(
    "discarded_edits",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("contact_id", Text, nullable=False),
    Column("deleted_in", Text, nullable=False),
    Column("edited", JsonText, nullable=False),
    Column("before", JsonText, nullable=False),
    Column("discarded_at", UtcTime, nullable=False),
)


def save_discarded(tx: Connection, connection: ConnectionName, edit: DiscardedEdit | None) -> None:
    """Store a discarded edit, if any. One a record: a deleted one never comes back."""
    if edit is None:
        return
    row: dict[str, Any] = {"connection": connection, **dict(edit), "edited": edit.values}
    del row["values"]
    upsert(tx, _discarded, [row], keys=["connection", "kind", "id"])


def list_discarded(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind | None = None,
    after: RecordPlace | None = None,
    limit: int | None = None,
) -> list[DiscardedEdit]:
    """List discarded edits, ordered by kind and id."""
    columns = _discarded.c
    statement = select(_discarded).where(columns.connection == connection)
    if kind is not None:
        statement = statement.where(columns.kind == kind)
    if after is not None and kind is not None:
        statement = statement.where(columns.id > after.local_id)
    elif after is not None:
        statement = statement.where(tuple_(columns.kind, columns.id) > tuple_(*map(literal, after)))
    ordered = statement.order_by(columns.kind, columns.id).limit(limit)
    return [_edit_of(row) for row in tx.execute(ordered).mappings()]


def _edit_of(row: RowMapping) -> DiscardedEdit:
    names = DiscardedEdit.model_fields.keys() - {"values"}
    return DiscardedEdit.model_validate(
        {"values": row["edited"], **{name: row[name] for name in names}}
    )
