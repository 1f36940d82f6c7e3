"""Finished work is deleted after 90 days; what a rule may still ask for is kept."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from tests.adapters.fake_time import BEGINNING, FakeTime
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.access import idempotency
from timerex_ghl.adapters.ledger.tables.access.idempotency import StoredAnswer
from timerex_ghl.adapters.ledger.tables.housekeeping import HISTORY, forget_history
from timerex_ghl.adapters.ledger.tables.operations import audit, dry_run_plans, reviews
from timerex_ghl.adapters.ledger.tables.sync import intents, locks
from timerex_ghl.adapters.ledger.tables.sync.intents import Closing, NewIntent
from timerex_ghl.domain.shared.actions import CreateContact
from timerex_ghl.domain.shared.models import ConnectionName, GhlField
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA = ConnectionName("aoba")
RIKU = RecordRef.parse("contact:c_1")
DAY = timedelta(days=1)
CREATE = CreateContact(values={GhlField("firstName"): "Riku"})
ANSWER = StoredAnswer(request_digest="d1", record_id="c_1", version=1, body="{}")


@pytest.fixture
def ledger(timed_ledger: Ledger) -> Ledger:
    return timed_ledger


def later(fake_time: FakeTime, by: timedelta) -> None:
    fake_time.advance(by.total_seconds())


def send(tx: Connection, at: datetime, *, is_closed: bool) -> str:
    """Record a write, and its outcome if that is known."""
    fence = locks.try_lock(tx, ["contact:c_1"], "anna", 60)
    assert fence is not None
    (intent_id,) = intents.open_all(tx, [NewIntent(AOBA, RIKU, CREATE, None, fence, at)])
    if is_closed:
        intents.close_intents(tx, [Closing(intent_id, "g1")])
    locks.release_locks(tx, [fence])
    return intent_id


def ask(tx: Connection, number: int, at: datetime, decision: str | None) -> str:
    """Open a review, and resolve it if there is a decision."""
    opened = reviews.open_review(
        tx,
        connection=AOBA,
        kind="refused",
        subject=RecordRef("contact", f"c_{number}"),
        reason="GHL refuses it",
        detail={},
        now=at,
    )
    if decision is not None:
        reviews.resolve_review(tx, opened.id, decision=decision, by="anna", now=at)
    return opened.id


def number_of(tx: Connection, table: str) -> int:
    return tx.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one()


async def test_a_write_whose_outcome_is_known_is_kept_for_90_days(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    await ledger.write(send, BEGINNING, is_closed=True)

    later(fake_time, HISTORY)
    kept = await ledger.write(forget_history)
    later(fake_time, timedelta(seconds=1))

    assert (kept, await ledger.write(forget_history)) == (0, 1)
    assert await ledger.read(number_of, "intents") == 0


async def test_a_write_whose_outcome_is_unknown_is_kept_for_good(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    intent_id = await ledger.write(send, BEGINNING, is_closed=False)
    later(fake_time, 10 * HISTORY)

    assert await ledger.write(forget_history) == 0
    assert [one.id for one in await ledger.read(intents.open_intents, AOBA, [RIKU])] == [intent_id]


async def test_answered_reviews_are_deleted_and_open_or_dropped_ones_are_kept(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    decisions = (None, reviews.DROPPED, "retry", "went through")
    still_open, dropped, *answered = [
        await ledger.write(ask, number, BEGINNING, decision)
        for number, decision in enumerate(decisions)
    ]
    later(fake_time, HISTORY + DAY)

    assert await ledger.write(forget_history) == 2
    for review_id in (still_open, dropped):
        assert await ledger.read(reviews.get_review, review_id) is not None
    for review_id in answered:
        assert await ledger.read(reviews.get_review, review_id) is None
    assert await ledger.write(ask, 1, fake_time.now(), None) == dropped, "it is not asked again"


async def test_old_plans_are_deleted_and_newer_ones_stay(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    other = RecordRef.parse("ghl:g1")
    await ledger.write(dry_run_plans.save_plan, AOBA, RIKU, {}, BEGINNING)
    await ledger.write(dry_run_plans.save_plan, AOBA, other, {}, BEGINNING + 2 * DAY)
    later(fake_time, HISTORY + DAY)

    assert await ledger.write(forget_history) == 1
    assert [*await ledger.read(dry_run_plans.read_plans, AOBA, BEGINNING)] == [other]


async def test_an_answer_is_deleted_after_a_day_without_another_request(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    await ledger.write(idempotency.keep_answer, "t_1", "k", ANSWER, BEGINNING)
    later(fake_time, DAY - timedelta(seconds=1))
    kept = await ledger.write(forget_history)
    later(fake_time, timedelta(seconds=1))

    assert (kept, await ledger.write(forget_history)) == (0, 1)
    assert await ledger.read(number_of, "api_answers") == 0


async def test_a_unit_of_work_deletes_few_rows_of_a_kind_oldest_first(
    ledger: Ledger, fake_time: FakeTime
) -> None:
    for number in range(5):
        await ledger.write(send, BEGINNING + number * DAY, is_closed=True)
        await ledger.write(ask, number, BEGINNING + number * DAY, "retry")
    later(fake_time, HISTORY + 4 * DAY)

    numbers = [await ledger.write(forget_history, HISTORY, 3) for _ in range(3)]

    assert numbers == [6, 2, 0]
    assert await ledger.read(number_of, "intents") == 1
    assert await ledger.read(number_of, "reviews") == 1


async def test_the_audit_keeps_everything(ledger: Ledger, fake_time: FakeTime) -> None:
    entry = audit.NewAuditEntry(BEGINNING, AOBA, "contact changed", RIKU, None, {})
    await ledger.write(audit.record_all, [entry])
    later(fake_time, 10 * HISTORY)
    await ledger.write(forget_history)

    assert len(await ledger.read(audit.entries_about, RIKU)) == 1


async def test_the_time_can_be_set(ledger: Ledger, fake_time: FakeTime) -> None:
    await ledger.write(send, BEGINNING, is_closed=True)
    later(fake_time, 41 * DAY)

    assert await ledger.write(forget_history, 40 * DAY) == 1
