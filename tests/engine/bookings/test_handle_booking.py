"""One booking, from the inbox to the CRM."""

import itertools
import json
from typing import Any

import pytest

from tests.deliveries import cancelled, confirmed, moved
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.monitoring.outage import PATIENCE
from timerex_ghl.domain.shared.errors import LockedError
from timerex_ghl.domain.shared.models import BookingId
from timerex_ghl.domain.shared.verdicts import MAX_ATTEMPTS, pause_after
from timerex_ghl.engine.bookings.claim_guest import claim_guest
from timerex_ghl.engine.writes.lock_names import lock_of_booking
from timerex_ghl.engine.writes.locking import locked
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN

RIKU = "riku@hinode.example"


@pytest.mark.both_databases
async def test_a_booking_makes_its_guest_known_with_a_tag_and_one_note(world: World) -> None:
    event = await world.receive(confirmed())

    (outcome,) = await world.handle(event)

    contact = await world.one_in_crm(RIKU)
    notes = await world.notes_of(RIKU)
    assert (outcome.what, outcome.writes) == ("applied", 3)
    assert (contact["firstName"], contact["lastName"]) == ("Riku", "Sato")
    assert contact["tags"] == ["timerex booked"]
    assert len(notes) == 1
    assert "Booked" in notes[0]
    assert "TimeRex booking b1" in notes[0]
    assert await world.state_of(event) == "applied"


@pytest.mark.both_databases
async def test_replaying_a_booking_writes_nothing(world: World) -> None:
    event = await world.receive(confirmed())
    await world.handle(event)
    await world.calls()

    (outcome,) = await world.handle(event, replay=True)

    assert (outcome.what, await world.writes()) == ("no-op", [])


async def test_a_guest_whom_the_crm_knows_keeps_the_name_it_has_there(world: World) -> None:
    known = {"firstName": "陸", "lastName": "佐藤", "email": "Riku@Hinode.example"}
    await world.ask("POST", "/ghl/contacts", known)

    await world.handle(await world.receive(confirmed()))

    contact = await world.one_in_crm(RIKU)
    assert (contact["firstName"], contact["lastName"]) == ("陸", "佐藤")
    assert contact["tags"] == ["timerex booked"]


@pytest.mark.parametrize("cancel_first", [False, True])
async def test_a_cancelled_booking_says_so_whichever_half_came_first(
    world: World, *, cancel_first: bool
) -> None:
    events = [await world.receive(confirmed()), await world.receive(cancelled())]

    await world.handle(*(reversed(events) if cancel_first else events))

    notes = await world.notes_of(RIKU)
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
    assert len(notes) == 1
    assert "Cancelled" in notes[0]


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
async def test_a_moved_booking_ends_as_one_note_at_the_new_time_in_every_order(
    world: World, order: tuple[int, int, int]
) -> None:
    bodies = (confirmed(), *moved("b1", "b2"))
    events = [await world.receive(bodies[index]) for index in order]

    await world.handle(*events)

    notes = await world.notes_of(RIKU)
    assert (await world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert len(notes) == 1
    assert "2026-02-17" in notes[0]
    assert "Cancelled" not in notes[0]


async def test_a_note_that_a_person_deleted_stays_deleted(world: World) -> None:
    await world.handle(await world.receive(confirmed()))
    contact = await world.one_in_crm(RIKU)
    await world.context.ghl.delete_note(contact["id"], contact["notes"][0]["id"])

    (outcome,) = await world.handle(await world.receive(cancelled()))

    assert await world.notes_of(RIKU) == []
    assert outcome.what == "applied"


async def test_two_people_who_could_be_the_guest_are_a_review_and_no_write(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"email": RIKU, "firstName": "One"})
    await world.ask("POST", "/ghl/contacts", {"additionalEmails": [RIKU], "firstName": "Two"})
    person = await world.add(RIKU, phone="090-1234-5678")
    await world.calls()

    counts = await world.sync()

    assert counts.review >= 1
    assert await world.writes() == []
    assert (await world.sync()).review == 0, "an open review's record is not retried unchanged"
    assert (await world.here(person.id)).version == 1


async def test_a_refused_contact_is_given_up_with_its_reason_and_others_go_on(
    world: World,
) -> None:
    fault = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 422}
    await world.ask("POST", "/ghl/faults", fault)
    first = await world.receive(confirmed())
    second = await world.receive(confirmed("b2", "mei@umi.example"))

    outcomes = await world.handle(first, second)

    assert [outcome.what for outcome in outcomes] == ["dead", "applied"]
    assert await world.state_of(first) == "dead"


async def test_an_outage_leaves_the_event_waiting_and_the_next_try_finishes_it(
    world: World,
) -> None:
    fault = {"operation": "create-contact", "nth": 1, "kind": "status", "value": 503}
    await world.ask("POST", "/ghl/faults", fault)
    event = await world.receive(confirmed())

    world.clock.stop()
    (first,) = await world.handle(event)
    (second,) = await world.handle(event)

    assert (first.what, second.what) == ("waiting", "waiting"), "a new contact may not show yet"
    assert len(await world.crm()) == 0

    world.clock.advance(LOOK_AGAIN)
    (third,) = await world.handle(event)

    assert third.what == "applied"
    assert len(await world.crm()) == 1


async def test_an_event_that_fails_waits_twice_as_long_after_each_attempt(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"email": RIKU, "firstName": "Riku"})
    event_id = await world.receive(confirmed())
    fault = {"operation": "add-tags", "kind": "status", "value": 503, "times": 3}
    await world.ask("POST", "/ghl/faults", fault)
    world.clock.stop()
    pauses: list[float] = []

    for _ in range(3):
        await world.handle(event_id)
        event = await world.ledger.read(inbox.read_event, event_id)
        assert event is not None
        assert event.next_at is not None
        pauses.append(round((event.next_at - world.clock.now()).total_seconds()))
    (outcome,) = await world.handle(event_id)

    assert pauses == [pause_after(1), pause_after(2), pause_after(3)]
    assert outcome.what == "applied"


async def test_an_event_that_fails_too_often_is_given_up_and_a_person_is_asked(
    world: World,
) -> None:
    event_id = await world.receive(confirmed())
    fault = {"operation": "add-tags", "kind": "status", "value": 503, "times": MAX_ATTEMPTS}
    await world.ask("POST", "/ghl/faults", fault)

    world.clock.advance(PATIENCE)
    outcomes = [(await world.handle(event_id))[0].what for _ in range(MAX_ATTEMPTS)]

    assert outcomes == ["waiting"] * (MAX_ATTEMPTS - 1) + ["dead"]
    assert await world.state_of(event_id) == "dead"
    (review,) = await world.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, str(review.subject)) == ("dead-letter", f"event:{event_id}")


def test_the_pause_between_attempts_doubles_up_to_an_hour() -> None:
    pauses = [pause_after(attempt_count) for attempt_count in range(1, MAX_ATTEMPTS)]

    assert pauses == [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600]
    assert pause_after(0) == 2, "after a wait that does not count as an attempt"


@pytest.mark.both_databases
@pytest.mark.parametrize("half", moved("b1", "b2"))
async def test_each_half_of_a_reschedule_locks_both_bookings(
    world: World, half: dict[str, Any]
) -> None:
    """Otherwise both halves, whose guests may have different keys, run at the same time."""
    booking = read_delivery(json.dumps(half).encode()).booking
    assert booking is not None

    async with claim_guest(world.context, BookingSnapshot(booking, verified=False)):
        for booking_id in (BookingId("b1"), BookingId("b2")):
            with pytest.raises(LockedError):
                async with locked(
                    world.ledger, [lock_of_booking(NAME, booking_id)], run_id="other", wait_s=0
                ):
                    pytest.fail("another run got the lock")
