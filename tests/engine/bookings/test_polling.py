"""Bookings whose webhook never came are found over TimeRex's REST API."""

import json
from datetime import timedelta

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.polling_world import RIKU, PollingWorld
from tests.engine.world import NAME
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.shared.models import BookingState

MEI = "mei@hinode.example"


@pytest.mark.both_databases
async def test_a_booking_that_no_webhook_reported_of_reaches_the_crm(polling: PollingWorld) -> None:
    booking_id = await polling.book()

    found = await polling.poll()
    counts = await polling.handle()

    assert (found.stopped, found.found.stored, counts.applied) == (None, 1, 1)
    assert (await polling.world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert len(await polling.world.notes_of(RIKU)) == 1
    row = await polling.blocked(booking_id)
    assert (row.verified, row.booking.calendar_name) == (True, "Onboarding call 30")


async def test_what_was_read_over_the_api_is_not_read_again_when_it_is_handled(
    polling: PollingWorld,
) -> None:
    await polling.book()

    await polling.poll()
    await polling.handle()

    assert (await polling.calls()).count("get-event") == 1


async def test_a_second_poll_lists_and_asks_for_nothing_else(polling: PollingWorld) -> None:
    await polling.book()
    await polling.poll()
    await polling.handle()
    await polling.calls()

    again = await polling.poll()

    assert again.found.stored == again.found.verified == 0
    assert "get-event" not in await polling.calls()
    assert await polling.waiting() == []


@pytest.mark.both_databases
async def test_a_state_that_waits_in_the_inbox_is_stored_once_however_often_it_is_polled(
    polling: PollingWorld,
) -> None:
    booking_id = await polling.book()

    first, second = await polling.poll(), await polling.poll()

    assert (first.found.stored, second.found.stored) == (1, 0)
    assert await polling.waiting() == [f"booking:{booking_id}"]


@pytest.mark.parametrize("lists_cancelled", [True, False])
async def test_a_cancellation_that_no_webhook_reported_of_is_found_whether_timerex_lists_it_or_not(
    polling: PollingWorld, *, lists_cancelled: bool
) -> None:
    switches = {"lists_cancelled": lists_cancelled}
    await polling.world.ask("POST", "/timerex/settings", switches)
    booking_id = await polling.book()
    await polling.poll()
    await polling.handle()

    await polling.cancel(booking_id)
    found = await polling.poll()
    await polling.handle()

    assert found.found.stored == 1
    assert (await polling.world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
    row = await polling.blocked(booking_id)
    assert (row.booking.state, row.verified) == (BookingState.CANCELLED, True)


@pytest.mark.parametrize("lists_cancelled", [True, False])
async def test_a_reschedule_that_no_webhook_reported_of_moves_the_booking(
    polling: PollingWorld, *, lists_cancelled: bool
) -> None:
    switches = {"lists_cancelled": lists_cancelled}
    await polling.world.ask("POST", "/timerex/settings", switches)
    old = await polling.book()
    await polling.poll()
    await polling.handle()

    new = await polling.move(old, hours=48)
    found = await polling.poll()
    await polling.handle()

    assert found.found.stored == 2
    assert len(await polling.world.notes_of(RIKU)) == 1
    assert (await polling.world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert (await polling.blocked(old)).booking.state is BookingState.MOVED
    assert (await polling.blocked(new)).booking.old_id == old


async def test_the_webhook_that_comes_after_all_changes_nothing(polling: PollingWorld) -> None:
    booking_id = await polling.book()
    await polling.poll()
    await polling.handle()
    stored = (await polling.blocked(booking_id)).booking
    await polling.world.calls()

    late = confirmed(booking_id, starts_at=stored.starts_at, calendar_id=stored.calendar_id)
    (outcome,) = await polling.world.handle(await polling.world.receive(late))

    assert outcome.what == "no-op"
    assert await polling.world.writes() == []
    assert (await polling.blocked(booking_id)).verified


async def test_a_booking_whose_webhook_waits_is_not_handled_twice(polling: PollingWorld) -> None:
    booking_id = await polling.book()
    await polling.world.receive(confirmed(booking_id))

    found = await polling.poll()

    assert found.found.stored == 0
    assert "get-event" not in await polling.calls()


async def test_a_cancellation_whose_webhook_waits_is_not_handled_twice(
    polling: PollingWorld,
) -> None:
    await polling.world.ask("POST", "/timerex/settings", {"lists_cancelled": False})
    booking_id = await polling.book()
    await polling.poll()
    await polling.handle()
    await polling.cancel(booking_id)
    await polling.world.receive(cancelled(booking_id))
    await polling.calls()

    found = await polling.poll()

    assert found.found.stored == 0
    assert "get-event" not in await polling.calls()


async def test_a_booking_that_was_stored_unverified_becomes_verified_without_a_write(
    polling: PollingWorld,
) -> None:
    booking_id = await polling.book()
    deliveries = (await polling.world.ask("GET", "/timerex/deliveries"))["deliveries"]
    shown = await polling.world.ask("GET", f"/timerex/deliveries/{deliveries[0]['id']}")
    await polling.fault("get-event", 503)
    await polling.world.handle(await polling.world.receive(json.loads(shown["body"])))
    assert not (await polling.blocked(booking_id)).verified
    await polling.world.calls()

    found = await polling.poll()

    assert (found.found.verified, found.found.stored) == (1, 0)
    assert (await polling.blocked(booking_id)).verified
    assert await polling.world.writes() == []
    assert (await polling.poll()).found.verified == 0


async def test_what_a_webhook_reported_otherwise_than_timerex_is_set_right(
    polling: PollingWorld,
) -> None:
    booking_id = await polling.book()
    await polling.fault("get-event", 503)
    forged = confirmed(booking_id, cancellation_reason="much longer than what TimeRex says")
    await polling.world.handle(await polling.world.receive(forged))
    reported = (await polling.blocked(booking_id)).booking.starts_at

    found = await polling.poll()
    await polling.handle()
    await polling.world.handle(await polling.world.receive({**forged, "calendar_name": "Forged"}))

    row = await polling.blocked(booking_id)
    assert found.found.stored == 1
    assert row.booking.starts_at - reported > timedelta(days=30)
    assert (row.verified, row.booking.calendar_name) == (True, "Onboarding call 30")


async def test_a_cancellation_that_came_between_reading_and_handling_stands(
    polling: PollingWorld,
) -> None:
    booking_id = await polling.book()
    await polling.poll()
    await polling.world.handle(await polling.world.receive(cancelled(booking_id)))

    await polling.handle()

    assert (await polling.blocked(booking_id)).booking.state is BookingState.CANCELLED
    assert (await polling.world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]


async def test_a_booking_that_timerex_does_not_know_is_asked_about_once_and_unchanged(
    polling: PollingWorld,
) -> None:
    booking_id = await polling.book()
    await polling.poll()
    await polling.handle()
    await polling.world.ask("POST", "/timerex/settings", {"lists_cancelled": False})
    await polling.cancel(booking_id)
    await polling.fault("get-event", 404, times=2)

    first, second = await polling.poll(), await polling.poll()

    (review,) = await polling.world.ledger.read(reviews.open_reviews, NAME)
    assert (first.found.unknown, second.found.unknown) == (1, 0)
    assert (review.kind, str(review.subject)) == ("gone", f"booking:{booking_id}")
    assert (await polling.blocked(booking_id)).booking.state is BookingState.CONFIRMED
    await polling.poll()
    assert await polling.world.ledger.read(reviews.open_reviews, NAME) == []


async def test_all_pages_of_all_calendars_are_read(polling: PollingWorld) -> None:
    other = await polling.world.ask("POST", "/timerex/calendars", {"name": "Demo"})
    guests = [f"guest{number}@hinode.example" for number in range(23)]
    for number, guest in enumerate(guests):
        await polling.book(hours=24 + number, guest_email=guest)
    await polling.book(hours=30, guest_email=MEI, calendar_id=other["calendar_id"])

    found = await polling.poll()

    assert (found.found.listed, found.found.stored) == (24, 24)
    assert len(await polling.waiting()) == 24


async def test_bookings_outside_the_time_are_not_looked_at(polling: PollingWorld) -> None:
    await polling.book(hours=-30)
    await polling.book(hours=24 * 200)
    recent = await polling.book(hours=-20)

    await polling.poll()

    assert await polling.waiting() == [f"booking:{recent}"]
