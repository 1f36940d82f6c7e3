"""Insert, or update what is there: spelled alike on both engines, and typed by neither."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    tx: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    unless: Callable[[Any], ColumnElement[bool]] | None = None,
    instead: Callable[[Any], Mapping[str, Any]] | None = None,
) -> None:
    """Write rows; where one with the same keys stands, the new values replace it.

    Args:
        tx: The open connection.
        table: Where to.
        rows: All with the same columns.
        keys: Columns of a unique constraint.
        unless: Given the new row, tells which rows stay as they are.
        instead: Given the new row, tells what a row that stands there gets in place of new values.
    """
    if not rows:
        return
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    values |= instead(statement.excluded) if instead else {}
    where = ~unless(statement.excluded) if unless else None
    tx.execute(
        statement.on_conflict_do_update(index_elements=[*keys], set_=values, where=where), rows
    )
