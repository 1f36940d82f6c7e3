"""The scheduled inbox run processes the backlog, and leaves fresh events to the live worker."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.deliveries import confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.domain.shared.models import EventId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.backlog import FRESH, list_backlog
from timerex_ghl.engine.writes.lock_names import lock_of_live
from timerex_ghl.engine.writes.locking import locked

RIKU = "riku@hinode.example"


async def edit(world: World, **values: str) -> EventId:
    """Edit a workspace contact, and store the event of the edit."""
    row = await world.add("mei@umi.example", first_name="Mei")
    await world.edit(row.id, (), **values)
    event_id, _ = await world.ledger.write(
        inbox.store_event,
        connection=NAME,
        source="workspace",
        type="contact changed",
        dedupe_key=f"contact:{row.id}:2",
        body='{"version": 2}',
        now=datetime.now(UTC),
        record=RecordRef.contact(row.id),
    )
    return event_id


@pytest.mark.both_databases
async def test_every_kind_of_event_is_handled(world: World) -> None:
    made = await world.ask("POST", "/ghl/contacts", {"email": "jun@yama.example", "city": "Nara"})
    events = [
        await world.receive(confirmed()),
        await world.notify("ContactCreate", made["contact"]["id"]),
        await edit(world, city="Kyoto"),
    ]

    backlog = await list_backlog(world.context)
    outcomes = await world.handle(*backlog)

    assert backlog == events
    assert [one.what for one in outcomes] == ["applied"] * 3
    assert (await world.one_in_crm("mei@umi.example"))["city"] == "Kyoto"
    assert "jun@yama.example" in [
        row.contact.values.get(FieldName("email")) for row in await world.people()
    ]
    assert len(await world.notes_of(RIKU)) == 1
    assert await list_backlog(world.context) == []


async def test_without_a_live_worker_nothing_is_not_handled_twice(world: World) -> None:
    event = await world.receive(confirmed())

    assert await list_backlog(world.context) == [event]


async def test_what_came_just_now_is_reserved_for_the_live_worker(world: World) -> None:
    await received(world, "b1", FRESH - timedelta(seconds=20))
    old = await received(world, "b2", FRESH + timedelta(seconds=1))

    async with locked(world.ledger, [lock_of_live()], run_id="live"):
        assert await list_backlog(world.context) == [old]


async def received(world: World, booking_id: str, ago: timedelta) -> EventId:
    event_id, _ = await world.ledger.write(
        inbox.store_event,
        connection=NAME,
        source="timerex",
        type="event_confirmed",
        dedupe_key=booking_id,
        body=json.dumps(confirmed(booking_id)),
        now=datetime.now(UTC) - ago,
        record=RecordRef("booking", booking_id),
    )
    return event_id


@pytest.mark.both_databases
async def test_what_was_tried_already_is_tried_again_beside_a_live_worker(world: World) -> None:
    event = await world.receive(confirmed())
    await world.ledger.write(
        inbox.postpone_events,
        [event],
        error="an outage",
        next_at=datetime.now(UTC) - timedelta(seconds=1),
    )

    async with locked(world.ledger, [lock_of_live()], run_id="live"):
        assert await list_backlog(world.context) == [event]
