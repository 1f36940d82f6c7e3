"""How the database carries out the statements that our code sends, as its planner says.

A statement has a fault where its cost grows with all that was ever stored: it reads a table or all
of a connection's rows, or sorts many rows.
"""

import re
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, event

MOST_SORTED = 1000
"""Rows that a statement may sort."""

FEW_VALUES = frozenset({"connection", "kind", "state", "source", "side", "origin", "deleted"})
"""Columns in which most rows are alike: an index that is searched by these alone finds nearly all
rows."""

_PLACEHOLDER = re.compile(r"(, )?(\?|%\(\w+\)s)(::\w+)?")
_SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
_SEARCH = re.compile(r"SEARCH (\w+) USING (?:COVERING )?INDEX (\w+) \((.*)\)")
_COLUMN = re.compile(r"(\w+)\)?(?:::\w+)? *(?:=|<|>|IS)")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


class Statement(NamedTuple):
    """A statement as it was sent, with the parameters of its first row."""

    text: str
    parameters: Any

    @property
    def shape(self) -> str:
        """Return the text without parameters: the same for any number of ids."""
        return _PLACEHOLDER.sub("", self.text)


@contextmanager
def statements_recorded() -> Generator[dict[str, Statement]]:
    """Record what all engines send but plain inserts, by shape; of equal ones, the longest."""
    found: dict[str, Statement] = {}

    def note(_tx: Connection, _cursor: object, text: str, parameters: Any, *rest: object) -> None:
        is_many = rest[-1] is True
        statement = Statement(text, parameters[0] if is_many else parameters)
        known = found.get(statement.shape)
        is_planned = text.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
        if is_planned and (known is None or len(known.text) < len(text)):
            found[statement.shape] = statement

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def faults_of(
    tx: Connection, statement: Statement, large: Collection[str], short_indexes: Collection[str]
) -> list[str]:
    """Ask the planner about a statement, and list what is wrong with its plan.

    Args:
        tx: Open transaction.
        statement: The statement.
        large: Names of the tables that grow.
        short_indexes: Partial indexes of few rows: these may be read whole.
    """
    if tx.dialect.name == "postgresql":
        rows = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement.text}", statement.parameters)
        (plan,) = rows.scalar_one()
        return [*_postgresql_faults(plan["Plan"], large, short_indexes)]
    rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", statement.parameters)
    steps = [str(row.detail) for row in rows]
    return [*_sqlite_faults(tx, statement, steps, large, short_indexes)]


def table_of(fault: str) -> str | None:
    """Return the table that a fault reads whole; None where it is about sorting."""
    found = re.match(r"(?:SCAN|SEARCH|Seq Scan on) (\w+)", fault)
    return None if found is None else found[1]


def _sqlite_faults(
    tx: Connection,
    statement: Statement,
    steps: list[str],
    large: Collection[str],
    short_indexes: Collection[str],
) -> Iterator[str]:
    for step in steps:
        scan = _SCAN.match(step)
        if scan and scan[1] in large and scan[2] not in short_indexes:
            yield step
        search = _SEARCH.match(step)
        if search and search[1] in large and search[2] not in short_indexes:
            yield from [step] if _is_unselective(search[3]) else []
        if step.startswith("USE TEMP B-TREE FOR ORDER BY"):
            number = _count_unlimited(tx, statement)
            if number > MOST_SORTED:
                yield f"sorts {number} rows"


def _count_unlimited(tx: Connection, statement: Statement) -> int:
    """Count the rows that an SQLite statement finds, whatever its limit: so many are sorted."""
    text, parameters = statement.text.rstrip(), [*statement.parameters]
    if text.endswith("LIMIT ? OFFSET ?"):
        parameters[-2] = -1
    return len(tx.exec_driver_sql(text, tuple(parameters)).all())


def _postgresql_faults(
    node: dict[str, Any], large: Collection[str], short_indexes: Collection[str]
) -> Iterator[str]:
    kind, index = node["Node Type"], node.get("Index Name")
    if kind == "Seq Scan" and node["Relation Name"] in large:
        yield f"{kind} on {node['Relation Name']}, filter {node.get('Filter')}"
    if index is not None and index not in short_indexes:
        condition = _QUOTED.sub("''", node.get("Index Cond", ""))
        if _is_unselective(condition) and _is_of(index, large):
            yield f"{kind} with {index}, condition {condition}"
    if kind in {"Sort", "Incremental Sort"} and node["Plan Rows"] > MOST_SORTED:
        yield f"sorts {node['Plan Rows']} rows"
    for inner in cast("list[dict[str, Any]]", node.get("Plans", ())):
        yield from _postgresql_faults(inner, large, short_indexes)


def _is_unselective(condition: str) -> bool:
    return {*_COLUMN.findall(condition)} <= FEW_VALUES


def _is_of(index: str, tables: Collection[str]) -> bool:
    return index.partition("_")[2].startswith(tuple(tables))
