from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import idempotency
from timerex_ghl.adapters.ledger.tables.access.idempotency import StoredAnswer

DAY = timedelta(hours=24)
ANSWER = StoredAnswer(request_digest="d1", record_id="c_1", version=1, body='{"名":"陸"}')


async def test_an_answer_is_kept_for_a_day_for_its_own_token(ledger: Ledger) -> None:
    await ledger.write(idempotency.keep_answer, "t_1", "k", ANSWER, make.NOW)

    just_before = make.NOW + DAY - timedelta(milliseconds=1)
    assert await ledger.read(idempotency.find_answer, "t_1", "k", just_before) == ANSWER
    assert await ledger.read(idempotency.find_answer, "t_1", "k", make.NOW + DAY) is None
    assert await ledger.read(idempotency.find_answer, "t_2", "k", make.NOW) is None
    assert await ledger.read(idempotency.find_answer, "t_1", "other", make.NOW) is None


async def test_the_next_answer_clears_away_what_is_over(ledger: Ledger) -> None:
    def kept(tx: Connection) -> list[str]:
        return [*tx.scalars(text("SELECT key FROM api_answers"))]

    await ledger.write(idempotency.keep_answer, "t_1", "old", ANSWER, make.NOW)
    await ledger.write(idempotency.keep_answer, "t_1", "old", ANSWER, make.NOW + DAY)
    await ledger.write(idempotency.keep_answer, "t_1", "new", ANSWER, make.NOW + DAY * 3)

    assert await ledger.read(kept) == ["new"]


async def test_a_key_answers_once(ledger: Ledger) -> None:
    await ledger.write(idempotency.keep_answer, "t_1", "k", ANSWER, make.NOW)

    with pytest.raises(IntegrityError):
        await ledger.write(idempotency.keep_answer, "t_1", "k", ANSWER, make.NOW)
