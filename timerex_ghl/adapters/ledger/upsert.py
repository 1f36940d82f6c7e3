"""Insert, or update what is there: spelled alike on both engines, and typed by neither.

A statement is put together once: that costs more than carrying it out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Table
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
        unless: Given the new row, tells which rows stay as they are. A function of a module.
        instead: Given the new row, tells what a row that stands there gets in place of new values.
            A function of a module.
    """
    if rows:
        tx.execute(
            _statement(table, tx.dialect.name, tuple(keys), tuple(rows[0]), unless, instead), rows
        )


@lru_cache
def _statement(
    table: Table,
    dialect: str,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    unless: Callable[[Any], ColumnElement[bool]] | None,
    instead: Callable[[Any], Mapping[str, Any]] | None,
) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table)
    values = {name: statement.excluded[name] for name in columns if name not in keys}
    values |= instead(statement.excluded) if instead else {}
    where = ~unless(statement.excluded) if unless else None
    return statement.on_conflict_do_update(index_elements=[*keys], set_=values, where=where)
