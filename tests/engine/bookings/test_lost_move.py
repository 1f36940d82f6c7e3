"""A move of which one half never comes: it is found, or the old time is cancelled and reviewed."""

import json
from datetime import timedelta

import pytest

from tests.deliveries import moved
from tests.engine.calendar_world import RIKU, CalendarWorld
from tests.engine.polling_world import PollingWorld
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.review_decisions import WAYS, Decision, Way
from timerex_ghl.domain.shared.models import BookingId, EventId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.backlog import list_backlog
from timerex_ghl.engine.reviews.resolve_review import resolve

LIMIT = timedelta(minutes=15)


async def open_reviews(world: World) -> list[Review]:
    return await world.ledger.read(reviews.open_reviews, NAME)


async def due(world: World) -> list[EventId]:
    return await world.ledger.read(inbox.waiting_events, NAME, world.clock.now(), 100)


async def handle_due(world: World) -> list[Outcome]:
    return await world.handle(*await due(world))


async def lose_new_half(world: World) -> None:
    """Process a booking and the first half of its move, and let the time for the other pass."""
    gone, _ = moved("b1", "b2")
    confirmed_first = {**moved("b0", "b1")[1]}
    confirmed_first["event"] = {**confirmed_first["event"], "old_event_id": None}
    world.clock.stop()
    await world.handle(await world.receive(confirmed_first), await world.receive(gone))
    world.clock.advance(LIMIT - timedelta(seconds=1))
    assert await due(world) == []
    world.clock.advance(timedelta(seconds=1))


@pytest.mark.both_databases
async def test_a_move_whose_new_half_never_comes_is_cancelled_and_reviewed_once(
    world: World,
) -> None:
    await lose_new_half(world)

    (outcome,) = await handle_due(world.restarted())

    (note,) = await world.notes_of(RIKU)
    (review,) = await open_reviews(world)
    assert outcome.what == "review"
    assert "Cancelled (moved to another time, which TimeRex has not reported)" in note
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
    assert (review.kind, str(review.subject)) == ("lost-move", "booking:b1")
    gone, _ = moved("b1", "b2")
    repeated = await world.receive({**gone, "calendar_url": "https://timerex.net/s/a/b"})
    await world.handle(repeated)
    world.clock.advance(LIMIT)
    assert (await handle_due(world), await world.notes_of(RIKU)) == ([], [note])
    assert len(await open_reviews(world)) == 1


@pytest.mark.both_databases
async def test_the_new_half_that_comes_later_takes_the_appointment_over_and_ends_the_review(
    calendar: CalendarWorld,
) -> None:
    world = calendar.world
    await lose_new_half(world)
    await handle_due(world)
    old = await calendar.one()
    world.clock.advance(timedelta(days=3))

    await calendar.receive(moved("b1", "b2")[1])

    one = await calendar.one()
    assert (old.status, one.id, one.status) == ("cancelled", old.id, "confirmed")
    assert (await calendar.link("b2")).remote_id == one.id
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert await open_reviews(world) == []


async def test_a_move_that_completes_in_time_leaves_no_check(world: World) -> None:
    gone, new = moved("b1", "b2")
    await world.handle(await world.receive(gone), await world.receive(new))
    world.clock.advance(timedelta(days=1))

    assert await due(world) == []
    assert await list_backlog(world.context) == []


@pytest.mark.parametrize("way", WAYS["lost-move"])
async def test_a_lost_move_is_resolved_by_each_of_its_ways(world: World, way: Way) -> None:
    await lose_new_half(world)
    await handle_due(world)
    (review,) = await open_reviews(world)

    resolved = await resolve(world.context, review.id, Decision(way=way, by="kana"))

    assert resolved.is_first
    outcomes = [outcome.what for outcome in await handle_due(world)]
    again = [one.kind for one in await open_reviews(world)]
    assert (outcomes, again) == ((["review"], ["lost-move"]) if way is Way.RETRY else ([], []))


async def test_the_new_half_is_read_over_timerexs_api(polling: PollingWorld) -> None:
    world = polling.world
    old = await polling.book()
    await polling.poll()
    await polling.handle()
    new = await polling.move(old, hours=48)
    await _receive(world, old)
    assert (await _waiting(world, new), await open_reviews(world)) == ([], [])
    world.clock.advance(LIMIT)

    outcomes = [outcome.what for outcome in await handle_due(world) + await handle_due(world)]

    assert outcomes == ["applied", "applied"]
    assert (await polling.blocked(new)).booking.old_id == old
    assert len(await world.notes_of(RIKU)) == 1
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    world.clock.advance(2 * LIMIT)
    assert (await handle_due(world), await open_reviews(world)) == ([], [])


@pytest.mark.parametrize("status", [404, 429, 503])
async def test_a_new_half_that_timerex_does_not_return_is_found_by_a_later_retry(
    polling: PollingWorld, status: int
) -> None:
    world = polling.world
    old = await polling.book()
    await polling.poll()
    await polling.handle()
    new = await polling.move(old, hours=48)
    await _receive(world, old)
    world.clock.advance(LIMIT)
    await polling.fault("get-event", status)
    await handle_due(world)
    (review,) = await open_reviews(world)

    await resolve(world.context, review.id, Decision(way=Way.RETRY, by="kana"))
    await handle_due(world)
    await handle_due(world)

    assert (await polling.blocked(new)).booking.old_id == old
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert await open_reviews(world) == []


async def _receive(world: World, booking_id: BookingId) -> None:
    """Process what TimeRex delivers about the end of a booking."""
    reported = (await world.ask("GET", "/timerex/deliveries"))["deliveries"]
    bodies = [await world.ask("GET", f"/timerex/deliveries/{one['id']}") for one in reported]
    events = [json.loads(body["body"]) for body in bodies]
    mine = [one for one in events if one["event"]["id"] == booking_id]
    await world.handle(await world.receive(mine[-1]))


async def _waiting(world: World, booking_id: BookingId) -> list[str]:
    found = [await world.ledger.read(inbox.read_event, one) for one in await due(world)]
    return [str(one.record) for one in found if one and one.record and one.record.id == booking_id]
