"""An outage of a service costs events time, and nothing else, however long it lasts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.sync import outages
from timerex_ghl.domain.monitoring.outage import PATIENCE, Outage
from timerex_ghl.domain.shared.errors import ServiceDownError
from timerex_ghl.domain.shared.models import EventId
from timerex_ghl.engine.backlog import list_backlog
from timerex_ghl.engine.dispatch import Dispatcher
from timerex_ghl.engine.outages import try_again

RIKU = "riku@hinode.example"
DOWN = {"operation": "*", "kind": "status", "value": 503, "every": 1}


@pytest.fixture
async def dispatcher(world: World) -> AsyncIterator[Dispatcher]:
    async with world.ledger.listening() as alarm:
        made = Dispatcher(world.ledger, alarm, world.clock.now)
        made.open = [NAME]
        yield made


async def drain(world: World, dispatcher: Dispatcher) -> list[EventId]:
    """Process what the dispatcher hands out until that is nothing; return the events in order."""
    handled: list[EventId] = []
    while batches := (await dispatcher.take())[0]:
        for batch in batches:
            await world.handle(*batch.event_ids)
            handled += batch.event_ids
            dispatcher.done(batch)
    return handled


async def lasting(world: World) -> list[Outage]:
    return await world.ledger.read(outages.list_outages, NAME)


@pytest.mark.both_databases
async def test_an_outage_of_three_days_gives_nothing_up_and_keeps_the_order(
    world: World, dispatcher: Dispatcher
) -> None:
    await world.ask("POST", "/ghl/faults", DOWN)
    received: list[EventId] = []
    for hour in range(72):
        guest = f"guest{hour % 6}@hinode.example"
        body = confirmed(f"b{hour}", guest) if hour % 2 == 0 else cancelled(f"b{hour - 1}", guest)
        received.append(await world.receive(body))
        await drain(world, dispatcher)
        world.clock.advance(timedelta(hours=1))
        assert await try_again(world.context, "GHL") is not None
    in_vain = len(await world.calls())
    (outage,) = await lasting(world)
    assert await list_backlog(world.context) == []

    await world.ask("DELETE", "/ghl/faults")
    world.clock.advance(timedelta(minutes=1))
    assert await try_again(world.context, "GHL") is None
    handled = await drain(world, dispatcher)

    assert in_vain < 2 * 72 + 5, "one try an hour, not one an event"
    assert world.clock.now() - outage.since > timedelta(hours=71)
    assert [event for event in handled if event in received] == sorted(received, key=handled.index)
    assert {await world.state_of(event) for event in received} <= {"applied", "superseded"}
    assert await world.ledger.read(reviews.open_reviews, NAME) == []
    said = [entry.what for entry in await world.ledger.read(audit.entries, NAME, 500)]
    assert (said.count("GHL does not answer"), said.count("GHL answers again")) == (1, 1)


async def test_an_event_that_fails_alone_is_no_outage_and_counts_its_attempts(
    world: World, dispatcher: Dispatcher
) -> None:
    fault = {"operation": "create-note", "kind": "status", "value": 503, "every": 1}
    await world.ask("POST", "/ghl/faults", fault)
    bad = await world.receive(confirmed())
    for _ in range(14):
        await drain(world, dispatcher)
        world.clock.advance(timedelta(hours=1))

    assert await lasting(world) == []
    assert await world.state_of(bad) == "waiting", "part of the service may be down"
    world.clock.advance(PATIENCE)
    await drain(world, dispatcher)
    (review,) = await world.ledger.read(reviews.open_reviews, NAME)
    assert (await world.state_of(bad), review.kind) == ("dead", "dead-letter")


@pytest.mark.both_databases
async def test_while_a_service_is_down_no_event_is_handed_out(
    world: World, dispatcher: Dispatcher
) -> None:
    await world.ask("POST", "/ghl/faults", DOWN)
    await world.handle(await world.receive(confirmed()))
    await world.calls()

    for number in range(20):
        await world.receive(confirmed(f"b{number}", f"guest{number}@hinode.example"))

    assert await drain(world, dispatcher) == []
    assert await world.calls() == []


async def test_a_bulk_run_stops_when_the_service_does(world: World) -> None:
    for number in range(60):
        await world.add(f"guest{number}@hinode.example")
    await world.sync()
    for row in await world.people():
        await world.edit(row.id, city="Kobe")
    await world.calls()
    fault = {"operation": "*", "nth": 11, "kind": "status", "value": 503, "every": 1}
    await world.ask("POST", "/ghl/faults", fault)

    with pytest.raises(ServiceDownError, match="GHL does not answer"):
        await world.sync()

    assert len(await world.calls()) < 60
    await world.ask("DELETE", "/ghl/faults")
    world.clock.advance(timedelta(minutes=1))
    assert await try_again(world.context, "GHL") is None
    assert (await world.sync()).waiting == 0


async def test_it_is_tried_more_and_more_rarely_and_by_one_process(world: World) -> None:
    await world.ask("POST", "/ghl/faults", DOWN)
    world.clock.stop()
    await world.handle(await world.receive(confirmed()))
    pauses: list[int] = []
    for _ in range(7):
        (outage,) = await lasting(world)
        pauses.append(round((outage.next_try_at - world.clock.now()).total_seconds()))
        assert await try_again(world.context, "GHL") == outage, "it is not due yet"
        world.clock.advance(outage.next_try_at - world.clock.now())
        await try_again(world.context, "GHL")

    assert pauses == [5, 10, 20, 40, 60, 60, 60]
