"""SQLite's statistics about the ledger's indexes, written once instead of collected.

Without statistics SQLite takes any index whose first column is given for a good one, and nearly
all rows are of one connection: it would read all of them to sort a few. Collected ones would be
missing in a new ledger, whose first sync is its largest.

Source: https://sqlite.org/lang_analyze.html: the table may be changed by INSERT and DELETE, and
`ANALYZE sqlite_master` makes an open database connection read it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, text

ROWS = 100_000
"""Rows of a table, as the planner sees it."""

FEW = 100
"""Rows of a partial index: those that are pending, open or differ."""

OF_A_CONNECTION = 20_000
"""Rows with the same value in one or all of the `COMMON` columns."""

ALIKE = 10
"""Rows with the same value in a column that is not one of `COMMON`."""

COMMON = frozenset({"connection", "kind", "state", "source", "side"})
"""Columns in which most rows are alike."""

_INDEXES = text(
    'SELECT t.name AS of_table, i.name AS name, i.partial AS is_partial, i."unique" AS is_unique,'
    " c.name AS column_name FROM sqlite_master t, pragma_index_list(t.name) i,"
    " pragma_index_info(i.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'"
    " ORDER BY t.name, i.name, c.seqno"
)


class _Index(NamedTuple):
    of_table: str
    name: str
    is_partial: bool
    is_unique: bool


def write_statistics(tx: Connection) -> None:
    """Replace the statistics of all indexes, and have this database connection use them."""
    tx.execute(text("ANALYZE ledger_version"))  # makes the table of statistics
    tx.execute(text("DELETE FROM sqlite_stat1"))
    rows = [
        {"of_table": index.of_table, "name": index.name, "stat": _stat(index, columns)}
        for index, columns in _read_indexes(tx)
    ]
    insert = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:of_table, :name, :stat)")
    tx.execute(insert, rows)
    tx.execute(text("ANALYZE sqlite_master"))


def _read_indexes(tx: Connection) -> Iterable[tuple[_Index, list[str]]]:
    found = tx.execute(_INDEXES).all()
    for key, columns in groupby(found, lambda row: tuple(row)[:4]):
        name, index, is_partial, is_unique = key
        yield (
            _Index(name, index, bool(is_partial), bool(is_unique)),
            [row.column_name for row in columns],
        )


def _stat(index: _Index, columns: Sequence[str]) -> str:
    """Return the number of entries, and for each column how many are alike up to there."""
    alike = entries = FEW if index.is_partial else ROWS
    numbers: list[int] = []
    for column in columns:
        alike = min(alike, OF_A_CONNECTION if column in COMMON else ALIKE)
        numbers.append(alike)
    if index.is_unique:
        numbers[-1] = 1
    return " ".join(map(str, [entries, *numbers]))
