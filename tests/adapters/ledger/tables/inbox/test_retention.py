"""Events that finished 35 days ago are deleted, and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.tables.inbox import inbox, retention
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=35, seconds=1)


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_url, options=LedgerOptions(clock=lambda: NOW)) as opened:
        yield opened


def keep(
    tx: Connection,
    key: str,
    finished_at: datetime | None,
    state: InboxState = InboxState.APPLIED,
    connection: ConnectionName | None = TOKYO,
) -> EventId:
    """Store an event received long ago that finished at a time, or is still pending."""
    event_id, _ = inbox.store_event(
        tx,
        connection=connection,
        source="timerex",
        type="event_confirmed",
        dedupe_key=key,
        body="{}",
        now=LONG_AGO - timedelta(days=1),
    )
    if finished_at is not None:
        inbox.finish_events(tx, [event_id], state, now=finished_at)
    return event_id


async def forget(ledger: Ledger, rows: int = retention.HEAD) -> int:
    forgotten = 0
    for connection in await ledger.read(retention.connections_of_inbox):
        for state in retention.FINAL:
            forgotten += await ledger.write(retention.forget_events, connection, state, rows)
    return forgotten


async def is_kept(ledger: Ledger, event_id: EventId) -> bool:
    return await ledger.read(inbox.read_event, event_id) is not None


@pytest.mark.parametrize("state", retention.FINAL)
async def test_an_event_is_kept_for_35_days_after_it_ended(
    ledger: Ledger, state: InboxState
) -> None:
    old = await ledger.write(keep, "old", LONG_AGO, state)
    young = await ledger.write(keep, "young", LONG_AGO + timedelta(seconds=2), state)

    assert await forget(ledger) == 1
    assert not await is_kept(ledger, old)
    assert await is_kept(ledger, young)


async def test_an_event_that_waits_is_kept_however_old_it_is(ledger: Ledger) -> None:
    event = await ledger.write(keep, "waits", None)

    assert await forget(ledger) == 0
    assert await is_kept(ledger, event)


@pytest.mark.parametrize("about", ["event", "contact"])
async def test_an_event_that_a_person_is_asked_about_is_kept_until_that_is_resolved(
    ledger: Ledger, about: str
) -> None:
    event = await ledger.write(keep, "asked", LONG_AGO, InboxState.REVIEW)
    contact = RecordRef.contact(ContactId("c_1"))
    opened = await ledger.write(
        reviews.open_review,
        connection=TOKYO,
        kind="refused",
        subject=RecordRef.event(event) if about == "event" else contact,
        reason="GHL refuses it",
        detail={} if about == "event" else {"events": [event]},
        now=LONG_AGO,
    )

    kept = await forget(ledger)
    await ledger.write(reviews.resolve_review, opened.id, decision="drop", by="anna", now=NOW)
    forgotten = await forget(ledger)

    assert (kept, forgotten) == (0, 1)


async def test_events_that_wait_for_an_answer_block_no_others(ledger: Ledger) -> None:
    asked = [await ledger.write(keep, f"asked {n}", LONG_AGO, InboxState.REVIEW) for n in range(4)]
    for event in asked:
        await ledger.write(
            reviews.open_review,
            connection=TOKYO,
            kind="refused",
            subject=RecordRef.event(event),
            reason="GHL refuses it",
            detail={},
            now=LONG_AGO,
        )
    await ledger.write(keep, "answered", LONG_AGO, InboxState.REVIEW)

    assert await forget(ledger, 3) == 1


async def test_every_connection_is_tidied_and_what_is_of_none(ledger: Ledger) -> None:
    for connection in (TOKYO, OSAKA, None):
        await ledger.write(keep, "old", LONG_AGO, InboxState.IGNORED, connection)

    assert await forget(ledger) == 3


async def test_many_are_forgotten_in_steps_that_delay_nobody(
    ledger: Ledger,
) -> None:
    for number in range(7):
        await ledger.write(keep, f"old {number}", LONG_AGO)

    assert [await forget(ledger, 3) for _ in range(4)] == [3, 3, 1, 0]


async def test_a_delivery_that_is_repeated_after_it_was_forgotten_is_stored_anew(
    ledger: Ledger,
) -> None:
    first = await ledger.write(keep, "one", LONG_AGO)
    await forget(ledger)

    assert await ledger.write(keep, "one", None) != first


async def test_locks_that_nobody_has_are_forgotten_and_used_ones_stay(ledger: Ledger) -> None:
    free = await ledger.write(locks.try_lock, ["free"], "anna", 30)
    fence = await ledger.write(locks.try_lock, ["held"], "ben", 30)
    assert free is not None
    assert fence is not None
    await ledger.write(locks.release_locks, [free])

    forgotten = await ledger.write(locks.forget_idle, 100)

    assert forgotten == 1
    assert await ledger.read(locks.all_valid, [fence]) == [True]
    assert await ledger.write(locks.try_lock, ["held"], "anna", 30) is None


async def test_the_fence_of_a_lock_that_was_forgotten_stays_broken_when_it_is_taken_anew(
    ledger: Ledger,
) -> None:
    old = await ledger.write(locks.try_lock, ["person 1"], "anna", 30)
    assert old is not None
    await ledger.write(locks.release_locks, [old])
    await ledger.write(locks.forget_idle, 100)

    new = await ledger.write(locks.try_lock, ["person 1"], "ben", 30)

    assert new is not None
    assert new.number == old.number, "the numbers begin again"
    assert await ledger.read(locks.all_valid, [old]) == [False]
    assert not await ledger.write(locks.renew_lock, old, 30)
    await ledger.write(locks.release_locks, [old])
    assert await ledger.read(locks.all_valid, [new]) == [True]
