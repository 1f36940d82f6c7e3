from datetime import UTC, datetime, timedelta
from functools import partial
from typing import get_args

import pytest
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_lookups
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState, Origin, Source
from timerex_ghl.domain.shared.models import ConnectionName, EventId

TOKYO, OSAKA = ConnectionName("tokyo"), ConnectionName("osaka")
NOW = datetime(2026, 11, 23, 9, 30, 0, 123000, tzinfo=UTC)


def store(
    tx: Connection,
    dedupe_key: str,
    connection: ConnectionName | None = TOKYO,
    source: Source = "timerex",
    origin: Origin = "webhook",
) -> tuple[EventId, bool]:
    return inbox.store_event(
        tx,
        connection=connection,
        source=source,
        origin=origin,
        type="event_confirmed",
        dedupe_key=dedupe_key,
        body='{"id": "予約"}',
        now=NOW,
    )


async def test_a_stored_event_reads_back_as_it_came(ledger: Ledger) -> None:
    event_id, is_new = await ledger.write(store, "one")

    event = await ledger.read(inbox.read_event, event_id)

    assert is_new
    assert event is not None
    assert event.body == '{"id": "予約"}'
    assert event.received_at == NOW
    assert (event.connection, event.state, event.attempts) == (TOKYO, InboxState.WAITING, 0)
    assert event.next_at is None


@pytest.mark.parametrize("origin", get_args(Origin))
async def test_an_event_says_what_stored_it_whatever_its_key(
    ledger: Ledger, origin: Origin
) -> None:
    event_id, _ = await ledger.write(partial(store, origin=origin), "polled b1 stands 0 0")

    event = await ledger.read(inbox.read_event, event_id)

    assert event is not None
    assert event.origin == origin


async def test_only_a_webhook_counts_as_a_delivery_and_only_a_poll_as_polled(
    ledger: Ledger,
) -> None:
    await ledger.write(partial(store, origin="poll"), "one")
    assert await ledger.read(inbox_lookups.last_delivery_at, TOKYO, "timerex") is None

    await ledger.write(store, "two")
    assert await ledger.read(inbox_lookups.last_delivery_at, TOKYO, "timerex") == NOW
    assert len(await ledger.read(inbox_lookups.polled_since, TOKYO, NOW)) == 1


async def test_an_unknown_event_is_none(ledger: Ledger) -> None:
    assert await ledger.read(inbox.read_event, EventId("e_0")) is None


@pytest.mark.parametrize("connection", [TOKYO, None])
async def test_a_redelivery_is_the_same_event(
    ledger: Ledger, connection: ConnectionName | None
) -> None:
    first, _ = await ledger.write(store, "one", connection)
    await ledger.write(inbox.finish_events, [first], InboxState.APPLIED, now=NOW)

    again, is_new = await ledger.write(store, "one", connection)

    event = await ledger.read(inbox.read_event, first)
    assert (again, is_new) == (first, False)
    assert event is not None
    assert event.state is InboxState.APPLIED


async def test_connections_and_sources_do_not_share_dedupe_keys(ledger: Ledger) -> None:
    ids = {
        (await ledger.write(store, "one", TOKYO))[0],
        (await ledger.write(store, "one", OSAKA))[0],
        (await ledger.write(store, "one", None))[0],
        (await ledger.write(store, "one", TOKYO, "ghl"))[0],
    }

    assert len(ids) == 4


async def test_an_event_may_be_stored_in_a_final_state(ledger: Ledger) -> None:
    event_id, _ = await ledger.write(
        inbox.store_event,
        connection=TOKYO,
        source="ghl",
        type="AppointmentCreate",
        dedupe_key="one",
        body="{}",
        now=NOW,
        state=InboxState.IGNORED,
    )

    assert await ledger.read(inbox.waiting_events, TOKYO, NOW) == []
    event = await ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert event.state is InboxState.IGNORED


async def test_waiting_events_come_oldest_first_and_no_more_than_asked(ledger: Ledger) -> None:
    ids = [(await ledger.write(store, str(number)))[0] for number in range(3)]
    await ledger.write(store, "elsewhere", OSAKA)

    assert await ledger.read(inbox.waiting_events, TOKYO, NOW) == ids
    assert await ledger.read(inbox.waiting_events, TOKYO, NOW, limit=2) == ids[:2]


async def test_a_postponed_event_waits_for_its_time(ledger: Ledger) -> None:
    event_id, _ = await ledger.write(store, "one")
    later = NOW + timedelta(seconds=8)

    await ledger.write(
        inbox.postpone_events, [event_id], error="GHL answered 503", next_at=later, counts=True
    )

    just_before = later - timedelta(milliseconds=1)
    assert await ledger.read(inbox.waiting_events, TOKYO, just_before) == []
    assert await ledger.read(inbox.waiting_events, TOKYO, later) == [event_id]
    event = await ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert (event.error, event.attempts, event.next_at) == ("GHL answered 503", 1, later)


async def test_waiting_for_the_quota_is_no_attempt(ledger: Ledger) -> None:
    event_id, _ = await ledger.write(store, "one")

    await ledger.write(inbox.postpone_events, [event_id], error="429", next_at=NOW, counts=False)

    event = await ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert event.attempts == 0


async def test_a_resolved_event_no_longer_waits(ledger: Ledger) -> None:
    event_id, _ = await ledger.write(store, "one")
    await ledger.write(inbox.postpone_events, [event_id], error="503", next_at=NOW, counts=True)

    await ledger.write(inbox.finish_events, [event_id], InboxState.DEAD, now=NOW, note="12 tries")

    event = await ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert (event.state, event.error, event.next_at) == (InboxState.DEAD, "12 tries", None)
    assert await ledger.read(inbox.waiting_events, TOKYO, NOW) == []


async def test_resolving_without_a_note_clears_the_last_error(ledger: Ledger) -> None:
    event_id, _ = await ledger.write(store, "one")
    await ledger.write(inbox.postpone_events, [event_id], error="503", next_at=NOW, counts=True)

    await ledger.write(inbox.finish_events, [event_id], InboxState.APPLIED, now=NOW)

    event = await ledger.read(inbox.read_event, event_id)
    assert event is not None
    assert event.error is None
