from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.clock import SettableClock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import Arrival
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.dispatch import BATCH, FRESH, LANES, LOOK_EVERY_S, Batch, Dispatcher

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")


def store(tx: Connection, connection: ConnectionName, records: list[str]) -> list[EventId]:
    return [
        inbox.store_event(
            tx,
            connection=connection,
            source="timerex",
            type="event_confirmed",
            dedupe_key=f"{record} {number}",
            body="{}",
            now=datetime.now(UTC),
            record=RecordRef.parse(record),
        )[0]
        for number, record in enumerate(records)
    ]


def store_at(
    tx: Connection, connection: ConnectionName, record: str, now: datetime
) -> list[EventId]:
    arrival = Arrival(
        connection, "timerex", "event_confirmed", f"later {record}", "{}",
        record=RecordRef.parse(record),
    )  # fmt: skip
    return [stored.event_id for stored in inbox.store_events(tx, [arrival], now)]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def dispatcher(ledger: Ledger, clock: SettableClock) -> AsyncIterator[Dispatcher]:
    async with ledger.listening() as alarm:
        made = Dispatcher(ledger, alarm, clock.now)
        made.open = [TOKYO, OSAKA]
        yield made


async def take(dispatcher: Dispatcher) -> list[Batch]:
    return (await dispatcher.take())[0]


@pytest.mark.both_databases
async def test_one_event_is_taken_at_once_and_only_once(
    ledger: Ledger, dispatcher: Dispatcher
) -> None:
    (event_id,) = await ledger.write(store, TOKYO, ["booking:1"])

    (batch,) = await take(dispatcher)

    assert batch.event_ids == [event_id]
    assert await take(dispatcher) == []


@pytest.mark.both_databases
async def test_a_record_has_one_handler_at_a_time(ledger: Ledger, dispatcher: Dispatcher) -> None:
    first, second = await ledger.write(store, TOKYO, ["booking:1", "booking:1"])

    (batch,) = await take(dispatcher)
    assert batch.event_ids == [first]
    assert await take(dispatcher) == []
    await ledger.write(
        inbox.finish_events, [first], inbox.InboxState.APPLIED, now=datetime.now(UTC)
    )
    dispatcher.done(batch)

    (batch,) = await take(dispatcher)
    assert batch.event_ids == [second]


async def test_an_event_that_ends_while_the_inbox_is_read_is_not_taken_again(
    ledger: Ledger, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write(store, TOKYO, ["booking:1"])
    (batch,) = await take(dispatcher)
    read = ledger.read

    async def read_before_the_end(work: Any, *args: Any) -> Any:
        found = await read(work, *args)
        dispatcher.done(batch)
        return found

    monkeypatch.setattr(ledger, "read", read_before_the_end)

    assert await take(dispatcher) == []


async def test_what_gathers_is_taken_together(ledger: Ledger, dispatcher: Dispatcher) -> None:
    await ledger.write(store, TOKYO, [f"booking:{number}" for number in range(BATCH + 5)])

    (full,) = await take(dispatcher)
    (rest,) = await take(dispatcher)

    assert (len(full.events), len(rest.events)) == (BATCH, 5)


@pytest.mark.both_databases
async def test_a_flood_leaves_another_connection_its_lanes(
    ledger: Ledger, dispatcher: Dispatcher
) -> None:
    await ledger.write(store, TOKYO, [f"booking:{number}" for number in range(1000)])
    for _ in range(LANES):
        assert {batch.connection for batch in await take(dispatcher)} == {TOKYO}
    assert await take(dispatcher) == []

    (event_id,) = await ledger.write(store, OSAKA, ["booking:1"])

    (batch,) = await take(dispatcher)
    assert (batch.connection, batch.event_ids) == (OSAKA, [event_id])


@pytest.mark.both_databases
async def test_a_backlog_leaves_a_lane_to_what_has_just_been_received(
    ledger: Ledger, dispatcher: Dispatcher, clock: SettableClock
) -> None:
    await ledger.write(store, TOKYO, [f"booking:{number}" for number in range(1000)])
    clock.advance(2 * FRESH)
    old = [await take(dispatcher) for _ in range(LANES)]
    assert [len(batches) for batches in old] == [1] * (LANES - 1) + [0]

    (event_id,) = await ledger.write(store_at, TOKYO, "booking:new", clock.now())
    (other,) = await ledger.write(store_at, TOKYO, "booking:3", clock.now())
    (batch,) = await take(dispatcher)

    assert (batch.event_ids, batch.is_fresh) == ([event_id], True)
    assert await take(dispatcher) == []
    dispatcher.done(batch)
    assert other not in {event.id for batch in await take(dispatcher) for event in batch.events}
    dispatcher.done(old[0][0])
    (next_old,) = await take(dispatcher)
    assert not next_old.is_fresh


@pytest.mark.both_databases
async def test_whoever_was_served_least_comes_first(ledger: Ledger, dispatcher: Dispatcher) -> None:
    await ledger.write(store, TOKYO, ["booking:1"])
    await take(dispatcher)
    await ledger.write(store, OSAKA, ["booking:1"])
    await ledger.write(store, TOKYO, ["booking:2"])

    assert [batch.connection for batch in await take(dispatcher)] == [OSAKA, TOKYO]


async def test_a_connection_that_is_not_open_waits(ledger: Ledger, dispatcher: Dispatcher) -> None:
    await ledger.write(store, TOKYO, ["booking:1"])
    dispatcher.open = [OSAKA]

    assert await take(dispatcher) == []


@pytest.mark.both_databases
async def test_a_postponed_event_is_looked_for_when_it_is_due(
    ledger: Ledger, dispatcher: Dispatcher, clock: SettableClock
) -> None:
    clock.stop()
    (event_id,) = await ledger.write(store, TOKYO, ["booking:1"])
    soon = clock.now() + timedelta(seconds=LOOK_EVERY_S / 2)
    await ledger.write(inbox.postpone_events, [event_id], error="503", next_at=soon)

    batches, pause_s = await dispatcher.take()

    assert batches == []
    assert pause_s == pytest.approx(LOOK_EVERY_S / 2, abs=0.001), "the ledger keeps milliseconds"

    clock.advance(timedelta(seconds=LOOK_EVERY_S / 2))
    (batch,) = await take(dispatcher)
    assert batch.event_ids == [event_id]
