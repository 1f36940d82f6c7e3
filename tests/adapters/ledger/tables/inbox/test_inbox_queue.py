from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_queue
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState, Source
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def store(
    tx: Connection,
    key: str,
    record: str = "",
    connection: ConnectionName = TOKYO,
    source: Source = "ghl",
) -> EventId:
    event_id, _ = inbox.store_event(
        tx,
        connection=connection,
        source=source,
        type="ContactUpdate",
        dedupe_key=key,
        body="{}",
        now=NOW,
        record=RecordRef.parse(record) if record else None,
    )
    return event_id


async def test_a_flood_of_one_connection_hides_nobody_elses_events(ledger: Ledger) -> None:
    for number in range(20):
        await ledger.write(store, f"{number}", f"ghl:{number}")
    other = await ledger.write(store, "other", "ghl:x", OSAKA)

    found = await ledger.read(inbox_queue.due_events, [TOKYO, OSAKA], NOW, 5)

    assert len(found[TOKYO]) == 5
    assert [one.id for one in found[OSAKA]] == [other]


async def test_only_the_connections_asked_for_are_looked_at(ledger: Ledger) -> None:
    await ledger.write(store, "one", "ghl:1")

    assert await ledger.read(inbox_queue.due_events, [OSAKA], NOW, 5) == {}


async def test_a_postponed_event_is_due_at_its_time(ledger: Ledger) -> None:
    event_id = await ledger.write(store, "one", "ghl:1")
    later = NOW + timedelta(seconds=8)
    await ledger.write(inbox.postpone_events, [event_id], error="503", next_at=later)

    assert await ledger.read(inbox_queue.due_events, [TOKYO], NOW, 5) == {TOKYO: []}
    assert await ledger.read(inbox_queue.next_due_at, [TOKYO], NOW) == later
    found = await ledger.read(inbox_queue.due_events, [TOKYO], later, 5)
    assert [one.id for one in found[TOKYO]] == [event_id]
    assert await ledger.read(inbox_queue.next_due_at, [TOKYO], later) is None


async def test_an_event_about_no_record_stands_for_itself(ledger: Ledger) -> None:
    event_id = await ledger.write(store, "one")

    found = await ledger.read(inbox_queue.due_events, [TOKYO], NOW, 5)

    assert [one.record for one in found[TOKYO]] == [RecordRef.event(event_id)]


async def test_a_fresh_event_comes_after_older_ones_of_its_record(ledger: Ledger) -> None:
    before = NOW - timedelta(hours=1)
    await ledger.write(store, "old", "ghl:1")
    await ledger.write(store, "new", "ghl:1")
    alone = await ledger.write(store, "alone", "ghl:2")

    fresh = await ledger.read(inbox_queue.fresh_events, TOKYO, NOW, before, 5)
    late = await ledger.read(inbox_queue.fresh_events, TOKYO, NOW, NOW + timedelta(hours=1), 5)

    assert alone in {one.id for one in fresh}
    assert len(fresh) == 2, "the older one of a record stands for it"
    assert late == []


async def test_the_newest_notification_stands_for_all_that_wait(ledger: Ledger) -> None:
    first, second, third = [await ledger.write(store, key, "ghl:1") for key in ("a", "b", "c")]
    await ledger.write(store, "other", "ghl:2")

    group = await ledger.read(inbox_queue.read_group, first)

    assert group is not None
    assert group.event.id == third
    assert set(group.older) == {first, second}


async def test_a_notification_that_is_resolved_stands_for_nobody(ledger: Ledger) -> None:
    first, second = [await ledger.write(store, key, "ghl:1") for key in ("a", "b")]
    await ledger.write(inbox.finish_events, [second], InboxState.APPLIED, now=NOW)

    group = await ledger.read(inbox_queue.read_group, second)

    assert group is not None
    assert (group.event.id, group.older) == (second, ())
    group = await ledger.read(inbox_queue.read_group, first)
    assert group is not None
    assert (group.event.id, group.older) == (first, ())


async def test_every_delivery_of_a_booking_is_handled_by_itself(ledger: Ledger) -> None:
    first, _ = [await ledger.write(store, key, "booking:1", TOKYO, "timerex") for key in "ab"]

    group = await ledger.read(inbox_queue.read_group, first)

    assert group is not None
    assert (group.event.id, group.older) == (first, ())


async def test_an_unknown_event_is_none(ledger: Ledger) -> None:
    assert await ledger.read(inbox_queue.read_group, EventId("e_0")) is None
