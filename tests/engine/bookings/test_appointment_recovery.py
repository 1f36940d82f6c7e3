"""A crash or a lost answer at an appointment's write: it is found again, never duplicated."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.deliveries import cancelled, confirmed, moved
from tests.engine.bookings.test_appointment_inbound import CANCEL
from tests.engine.bookings.test_appointment_sweep import sweep
from tests.engine.calendar_world import HANA, RIKU, CalendarWorld
from tests.engine.world import killed_at
from tests.engine.writes.test_recovery import MOMENTS, assert_all_final
from timerex_ghl.domain.shared.models import BookingState
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN

LATER = datetime(2026, 2, 17, 1, tzinfo=UTC)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_new_appointment_survives_a_crash(calendar: CalendarWorld, moment: str) -> None:
    event = await calendar.world.receive(confirmed())
    with killed_at(calendar.world, "appointment.create", moment):
        await calendar.world.handle(event)

    await calendar.world.handle(event)

    made = await calendar.one()
    assert (await calendar.link("b1")).remote_id == made.id
    await assert_all_final(calendar.world)
    assert (await calendar.world.handle(event, replay=True))[0].writes == 0


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_move_survives_a_crash(calendar: CalendarWorld, moment: str) -> None:
    await calendar.receive(confirmed())
    events = [await calendar.world.receive(body) for body in moved("b1", "b2")]
    with killed_at(calendar.world, "appointment.update", moment):
        await calendar.world.handle(*events)

    await calendar.world.handle(*events)

    one = await calendar.one()
    assert (one.starts_at, one.status) == (LATER, "confirmed")
    await assert_all_final(calendar.world)
    outcomes = await calendar.world.handle(*events, replay=True)
    assert sum(outcome.writes for outcome in outcomes) == 0


@pytest.mark.parametrize("operation", ["create-appointment", "edit-appointment"])
async def test_an_answer_lost_after_the_write_doubles_nothing(
    calendar: CalendarWorld, operation: str
) -> None:
    fault = {"operation": operation, "nth": 1, "kind": "drop_after_commit"}
    await calendar.world.ask("POST", "/ghl/faults", fault)
    events = [await calendar.world.receive(body) for body in (confirmed(), cancelled())]

    first = await calendar.world.handle(*events)
    await calendar.world.handle(*events)

    assert "waiting" in [outcome.what for outcome in first]
    assert (await calendar.one()).status == "cancelled"
    await assert_all_final(calendar.world)


async def test_what_was_sent_moments_ago_and_is_not_found_is_not_sent_again_yet(
    calendar: CalendarWorld,
) -> None:
    calendar.world.clock.stop()
    fault = {"operation": "create-appointment", "nth": 1, "kind": "status", "value": 503}
    await calendar.world.ask("POST", "/ghl/faults", fault)
    event = await calendar.world.receive(confirmed())

    outcomes = [*await calendar.world.handle(event), *await calendar.world.handle(event)]

    assert [outcome.what for outcome in outcomes] == ["waiting", "waiting"]
    assert await calendar.appointments(RIKU) == []


async def test_an_appointment_of_another_booking_is_not_taken_for_the_lost_one(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed())
    fault = {"operation": "create-appointment", "nth": 1, "kind": "status", "value": 503}
    await calendar.world.ask("POST", "/ghl/faults", fault)
    event = await calendar.world.receive(confirmed("b2"))

    await calendar.world.handle(event)
    calendar.world.clock.advance(LOOK_AGAIN)
    await calendar.world.handle(event)

    assert len(await calendar.appointments()) == 2
    assert (await calendar.link("b1")).remote_id != (await calendar.link("b2")).remote_id


async def test_what_was_sent_without_an_answer_and_then_cancelled_in_ghl_reaches_timerex(
    both: CalendarWorld,
) -> None:
    fault = {"operation": "create-appointment", "nth": 1, "kind": "drop_after_commit"}
    await both.world.ask("POST", "/ghl/faults", fault)
    booking_id = await both.book()
    made = (await both.one()).id
    await both.edit(made, **CANCEL)
    await both.notify("AppointmentUpdate", made)  # it is not linked yet

    await both.handle_waiting(later=timedelta(hours=1))
    await sweep(both)
    await both.receive_notifications(booking_id)

    assert (await both.one()).status == "cancelled"
    assert (await both.blocked(booking_id)).booking.state is BookingState.CANCELLED
    assert (await both.timerex_calls()).count("cancel-event") == 1


@pytest.mark.parametrize("hosts", [[], [HANA]])
async def test_an_appointment_that_was_refused_and_made_all_the_same_is_not_made_twice(
    calendar: CalendarWorld, hosts: list[dict[str, str]]
) -> None:
    fault = {"operation": "create-appointment", "kind": "status_after_commit", "value": 422}
    await calendar.world.ask("POST", "/ghl/faults", fault)

    outcome = await calendar.receive(confirmed(hosts=hosts))

    assert outcome.what == "applied"
    assert (await calendar.link("b1")).remote_id == (await calendar.one()).id
    await assert_all_final(calendar.world)
