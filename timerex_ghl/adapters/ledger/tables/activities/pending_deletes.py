"""Pending deletes of notes and tasks. Many at once need a person's confirmation."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    and_,
    func,
    literal,
    select,
    text,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata, of_rows_where
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.adapters.ledger.tables.sync.links import links
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey, ActivityKind
from timerex_ghl.domain.shared.models import ConnectionName, Record

Side = Literal["workspace", "ghl"]
State = Literal["pending", "released", "done", "allowed", "withdrawn", "kept"]

UNAPPLIED: frozenset[State] = frozenset({"pending", "released", "kept"})
_UNAPPLIED = "state IN ('pending', 'released', 'kept')"

_deletes = Table(
    "pending_deletes",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("local_id", Text, primary_key=True),
    Column("side", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("found_at", UtcTime, nullable=False),
    Index(None, "connection", "kind", "side", "found_at"),
    Index(
        "ix_pending_deletes_unapplied",
        "connection",
        "kind",
        "side",
        **of_rows_where(_UNAPPLIED),
    ),
)


class PendingDelete(Record):
    """A delete found in one system, and its state.

    Attributes:
        side: The system in which it was deleted.
        state: pending: needs a person's confirmation. released: confirmed, not yet applied. done:
            applied in the other system without confirmation. allowed: applied after confirmation.
            withdrawn: the record exists again. kept: a person decided not to delete it in the
            other system.
    """

    kind: ActivityKind
    local_id: ActivityId
    side: Side
    state: State
    found_at: AwareDatetime


class FoundDelete(NamedTuple):
    """A delete to store."""

    key: ActivityKey
    side: Side
    state: State


def note_delete(
    tx: Connection, connection: ConnectionName, found: FoundDelete, now: datetime
) -> None:
    """Insert a delete, or update its state."""
    row = {
        "connection": connection,
        "kind": found.key.kind,
        "local_id": found.key.id,
        "side": found.side,
        "state": found.state,
        "found_at": now,
    }
    upsert(tx, _deletes, [row], keys=["connection", "kind", "local_id"])


def get_delete(
    tx: Connection, connection: ConnectionName, key: ActivityKey
) -> PendingDelete | None:
    """Read a delete; None where there is none."""
    row = tx.execute(select(_deletes).where(_is(connection, key))).mappings().one_or_none()
    return None if row is None else _delete_of(dict(row))


def list_deletes(
    tx: Connection,
    connection: ConnectionName,
    states: Collection[State],
    kind: ActivityKind | None = None,
    side: Side | None = None,
) -> list[PendingDelete]:
    """List deletes in some states, oldest first."""
    columns = _deletes.c
    statement = select(_deletes).where(columns.connection == connection, columns.state.in_(states))
    if UNAPPLIED.issuperset(states):
        statement = statement.where(text(_UNAPPLIED))  # as the index of these few has it
    if kind is not None:
        statement = statement.where(columns.kind == kind)
    if side is not None:
        statement = statement.where(columns.side == side)
    ordered = statement.order_by(columns.found_at, columns.local_id)
    return [_delete_of(dict(row)) for row in tx.execute(ordered).mappings()]


def finish_pending(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    side: Side,
    state: State,
) -> None:
    """Set the state of all pending deletes of one kind and system."""
    columns = _deletes.c
    tx.execute(
        update(_deletes)
        .where(
            columns.connection == connection,
            columns.kind == kind,
            columns.side == side,
            columns.state == "pending",
            text(_UNAPPLIED),
        )
        .values(state=state)
    )


def withdraw(tx: Connection, connection: ConnectionName, key: ActivityKey) -> bool:
    """Withdraw an unapplied delete because the record exists; return whether there was one."""
    changed = tx.execute(
        update(_deletes)
        .where(_is(connection, key), _deletes.c.state.in_(["pending", "released", "kept"]))
        .values(state="withdrawn")
    )
    return changed.rowcount > 0


def count_since(
    tx: Connection, connection: ConnectionName, kind: ActivityKind, side: Side, since: datetime
) -> int:
    """Count the deletes applied without confirmation since a time."""
    columns = _deletes.c
    return tx.execute(
        select(func.count()).where(
            columns.connection == connection,
            columns.kind == kind,
            columns.side == side,
            columns.state == "done",
            columns.found_at >= since,
        )
    ).scalar_one()


def count_linked(
    tx: Connection, connection: ConnectionName, kind: ActivityKind, at_most: int
) -> int:
    """Count the linked notes or tasks, including deleted ones, up to a number."""
    some = select(literal(1)).where(links.c.connection == connection, links.c.kind == kind)
    counted = select(func.count()).select_from(some.limit(at_most).subquery())
    return tx.execute(counted).scalar_one()


def _is(connection: ConnectionName, key: ActivityKey) -> ColumnElement[bool]:
    return and_(
        _deletes.c.connection == connection,
        _deletes.c.kind == key.kind,
        _deletes.c.local_id == key.id,
    )


def _delete_of(row: dict[str, object]) -> PendingDelete:
    return PendingDelete.model_validate({name: row[name] for name in PendingDelete.model_fields})
