"""Insert or update: the same syntax on both databases, but not in SQLAlchemy's common API.

Statements are cached: building one costs more than executing it.
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
    """Insert rows, or update those with the same keys.

    Args:
        tx: Open transaction.
        table: The table.
        rows: Values by column, all with the same columns.
        keys: Columns of a unique constraint.
        unless: From the new row, the condition under which a row stays unchanged. Module-level.
        instead: From the new row, what an existing row gets in place of the new values.
            Module-level.
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
    if not values:
        return statement.on_conflict_do_nothing(index_elements=[*keys])
    where = ~unless(statement.excluded) if unless else None
    return statement.on_conflict_do_update(index_elements=[*keys], set_=values, where=where)
