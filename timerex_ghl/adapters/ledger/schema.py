"""What the tables share: their metadata and their column types.

Each module beside this one defines its own tables on `metadata`, next to what is done with them.
"""

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text, TypeDecorator

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
"""A number the database counts up. On SQLite add `sqlite_autoincrement=True` to the table."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as whole milliseconds since 1970 so that both engines sort it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse a time without a zone: nobody could say when it was."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the ledger needs a zone")
        return (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read it back in UTC."""
        del dialect
        return None if value is None else EPOCH + timedelta(milliseconds=value)


class JsonText(TypeDecorator[object]):
    """JSON as text: the same bytes on both engines for the same value. None is NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object | None, dialect: Dialect) -> str | None:
        """Write it compact, with sorted keys."""
        del dialect
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object | None:
        """Read it back as plain lists and dicts."""
        del dialect
        return None if value is None else json.loads(value)
