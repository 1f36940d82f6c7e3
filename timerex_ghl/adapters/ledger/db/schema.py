"""What the tables share: their metadata and their column types.

Each module of this package defines its tables on `metadata`, next to their queries.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text, TypeDecorator, text

from timerex_ghl.domain.shared.record_ref import RecordRef

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""An autoincrement key. On SQLite add `sqlite_autoincrement=True` to the table."""


def of_rows_where(condition: str) -> dict[str, Any]:
    """Return the arguments of a partial index: of the few rows that a look-up is about.

    SQLite uses it only for a statement that contains the same condition, without a parameter in it.
    """
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as whole milliseconds since 1970, so both databases sort it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Convert to milliseconds; refuse a time without a zone as ambiguous."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the ledger needs a zone")
        return (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Convert to an aware time in UTC."""
        del dialect
        return None if value is None else EPOCH + timedelta(milliseconds=value)


class JsonText(TypeDecorator[object]):
    """JSON as text: equal values give equal bytes on both databases. None is NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object | None, dialect: Dialect) -> str | None:
        """Convert to compact JSON with sorted keys."""
        del dialect
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object | None:
        """Convert to plain lists and dicts."""
        del dialect
        return None if value is None else json.loads(value)


class RefText(TypeDecorator[RecordRef]):
    """A reference to a record, as its text. None is stored as the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: RecordRef | None, dialect: Dialect) -> str:
        """Convert to text."""
        del dialect
        return "" if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> RecordRef | None:
        """Read the reference."""
        del dialect
        return RecordRef.parse(value) if value else None
