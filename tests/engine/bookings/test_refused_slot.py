"""GHL refuses an appointment's time: a person sees why, and a note shows the booking meanwhile."""

import pytest

from tests.deliveries import cancelled, confirmed, moved
from tests.engine.calendar_world import RIKU, CalendarWorld
from tests.engine.world import NAME
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.engine.reviews.resolve_review import resolve


@pytest.fixture
def strict(calendar: CalendarWorld) -> CalendarWorld:
    """A connection that keeps to GHL's slots, which are all over by now."""
    return calendar.with_settings(ignores_slots=False)


async def open_reviews(calendar: CalendarWorld) -> list[Review]:
    return await calendar.world.ledger.read(reviews.open_reviews, NAME)


@pytest.mark.both_databases
async def test_a_refused_time_is_said_in_words_and_a_note_shows_the_booking(
    strict: CalendarWorld,
) -> None:
    event = await strict.world.receive(confirmed())

    (first,) = await strict.world.handle(event)
    (again,) = await strict.world.handle(event, replay=True)

    (note,) = await strict.world.notes_of(RIKU)
    (review,) = await open_reviews(strict)
    assert (first.what, again.what, review.kind) == ("dead", "dead", "refused")
    assert review.reason.startswith(
        "GHL refused the time Tue 2026-02-10 10:00 Asia/Tokyo (UTC+09:00) of booking b1: the slot"
        " is taken, or the calendar is closed then"
    )
    assert "Booked" in note
    assert await strict.appointments() == []


@pytest.mark.both_databases
async def test_once_the_time_is_possible_the_appointment_is_made_and_the_note_is_not_doubled(
    calendar: CalendarWorld, strict: CalendarWorld
) -> None:
    await strict.receive(confirmed())
    (review,) = await open_reviews(strict)

    await resolve(calendar.world.context, review.id, Decision(way=Way.RETRY, by="kana"))
    outcomes = [outcome.what for outcome in await calendar.handle_waiting()]

    assert outcomes == ["applied"]
    assert (await calendar.one()).status == "confirmed"
    assert len(await calendar.world.notes_of(RIKU)) == 1
    assert await open_reviews(calendar) == []
    await calendar.receive(cancelled())
    (note,) = await calendar.world.notes_of(RIKU)
    assert ("Cancelled" in note, (await calendar.one()).status) == (True, "cancelled")


async def test_a_booking_that_is_cancelled_meanwhile_needs_no_appointment(
    strict: CalendarWorld,
) -> None:
    await strict.receive(confirmed())

    outcome = await strict.receive(cancelled())

    (note,) = await strict.world.notes_of(RIKU)
    assert (outcome.what, "Cancelled" in note) == ("applied", True)
    assert (await strict.appointments(), await open_reviews(strict)) == ([], [])


async def test_a_move_to_another_time_gets_the_appointment_that_was_refused(
    calendar: CalendarWorld, strict: CalendarWorld
) -> None:
    await strict.receive(confirmed())

    for body in moved("b1", "b2"):
        await calendar.receive(body)

    (note,) = await calendar.world.notes_of(RIKU)
    assert "2026-02-17" in note
    assert (await calendar.link("b2")).remote_id == (await calendar.one()).id
    assert await open_reviews(calendar) == []


async def test_a_move_to_a_refused_time_is_shown_by_a_note(
    calendar: CalendarWorld, strict: CalendarWorld
) -> None:
    await calendar.receive(confirmed())

    outcomes = [(await strict.receive(body)).what for body in moved("b1", "b2")]

    (note,) = await calendar.world.notes_of(RIKU)
    (review,) = await open_reviews(calendar)
    assert (outcomes[-1], "2026-02-17" in note) == ("dead", True)
    assert "GHL refused the time Tue 2026-02-17" in review.reason


async def test_an_appointment_that_is_refused_for_another_reason_leaves_a_note_too(
    calendar: CalendarWorld,
) -> None:
    fault = {"operation": "create-appointment", "kind": "status", "value": 422}
    await calendar.world.ask("POST", "/ghl/faults", fault)

    outcome = await calendar.receive(confirmed())

    assert (outcome.what, len(await calendar.world.notes_of(RIKU))) == ("dead", 1)
