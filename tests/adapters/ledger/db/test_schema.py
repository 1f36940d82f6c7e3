from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, cast, literal, select
from sqlalchemy.exc import StatementError
from sqlalchemy.types import Text

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.db.schema import JsonText, RefText, UtcTime
from timerex_ghl.domain.shared.record_ref import RecordRef


async def test_times_come_back_in_utc_to_the_millisecond(ledger: Ledger) -> None:
    in_tokyo = datetime(2026, 11, 23, 18, 0, 0, 123999, tzinfo=timezone(timedelta(hours=9)))

    def there_and_back(tx: Connection) -> datetime | None:
        return tx.scalar(select(literal(in_tokyo, UtcTime)))

    assert await ledger.read(there_and_back) == datetime(2026, 11, 23, 9, 0, 0, 123000, tzinfo=UTC)


async def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    def use(tx: Connection) -> None:
        tx.scalar(select(literal(datetime(2026, 11, 23), UtcTime)))  # noqa: DTZ001  the point

    with pytest.raises(StatementError, match="needs a zone"):
        await ledger.read(use)


async def test_json_comes_back_and_equal_json_is_equal_text(ledger: Ledger) -> None:
    value = {"b": ["値", 1], "a": None}

    def there_and_back(tx: Connection) -> object:
        return tx.scalar(select(literal(value, JsonText)))

    def as_text(tx: Connection) -> str | None:
        return tx.scalar(select(cast(literal(value, JsonText), Text)))

    assert await ledger.read(there_and_back) == value
    assert await ledger.read(as_text) == '{"a":null,"b":["値",1]}'


@pytest.mark.parametrize("ref", [RecordRef.parse("ghl-note:g1:n1"), None])
async def test_a_reference_comes_back_and_none_is_empty_text(
    ledger: Ledger, ref: RecordRef | None
) -> None:
    def there_and_back(tx: Connection) -> RecordRef | None:
        return tx.scalar(select(literal(ref, RefText)))

    def as_text(tx: Connection) -> str | None:
        return tx.scalar(select(cast(literal(ref, RefText), Text)))

    assert await ledger.read(there_and_back) == ref
    assert await ledger.read(as_text) == str(ref or "")
