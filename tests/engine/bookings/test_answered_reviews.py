"""A review about an event of a booking closes once another event did its work."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.polling_world import RIKU, PollingWorld
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.monitoring.outage import PATIENCE
from timerex_ghl.domain.shared.verdicts import MAX_ATTEMPTS

FIND = "get-duplicate-contact"


async def open_kinds(world: World) -> list[str]:
    return [one.kind for one in await world.ledger.read(reviews.open_reviews, NAME)]


async def give_up(world: World, body: dict[str, Any]) -> None:
    """Process an event until it is a dead letter."""
    fault = {"operation": FIND, "kind": "status", "value": 503, "times": MAX_ATTEMPTS}
    await world.ask("POST", "/ghl/faults", fault)
    event = await world.receive(body)
    world.clock.advance(PATIENCE)
    for _ in range(MAX_ATTEMPTS):
        await world.handle(event)
    world.clock.advance(-PATIENCE)
    assert await world.state_of(event) == "dead"


@pytest.mark.both_databases
async def test_a_dead_letter_ends_when_the_poll_applies_its_booking(polling: PollingWorld) -> None:
    booking_id = await polling.book()
    await give_up(polling.world, confirmed(booking_id))
    assert await open_kinds(polling.world) == ["dead-letter"]

    await polling.poll()
    await polling.handle()

    assert len(await polling.world.notes_of(RIKU)) == 1
    assert await open_kinds(polling.world) == []


@pytest.mark.parametrize(
    ("given_up", "later", "remains"),
    [
        (confirmed, cancelled, []),
        (cancelled, confirmed, ["dead-letter"]),
    ],
)
async def test_a_dead_letter_ends_by_an_event_that_is_no_older_in_what_it_says(
    world: World,
    given_up: Callable[[], dict[str, Any]],
    later: Callable[[], dict[str, Any]],
    remains: list[str],
) -> None:
    await give_up(world, given_up())

    await world.handle(await world.receive(later()))

    assert await open_kinds(world) == remains
