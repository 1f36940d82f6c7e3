"""What people do to appointments in GHL, and its effect on the booking."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deliveries import cancelled, confirmed
from tests.engine.calendar_world import RIKU, CalendarWorld
from tests.engine.world import killed_at
from timerex_ghl.domain.bookings.appointment_fields import STATUS
from timerex_ghl.domain.bookings.booking_entry import BookingEntry
from timerex_ghl.domain.shared.models import BookingState
from timerex_ghl.workspace import booking_edits
from timerex_ghl.workspace.edits import Editor

CANCEL = {"appointmentStatus": "cancelled"}


async def status_here(calendar: CalendarWorld, booking_id: str) -> Any:
    base = (await calendar.link(booking_id)).base
    return base and base.values.get(STATUS)


async def test_an_appointment_made_in_ghl_is_ghls_alone(calendar: CalendarWorld) -> None:
    outcome = await calendar.notify("AppointmentCreate", "theirs")

    assert outcome.what == "ignored"
    assert "GET /calendars/events/appointments/theirs" not in await calendar.world.calls()


async def test_our_own_write_comes_back_and_costs_one_read(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed())
    await calendar.receive(cancelled())
    made = (await calendar.one()).id
    await calendar.world.calls()

    outcomes = [await calendar.notify(f"Appointment{did}", made) for did in ("Create", "Update")]

    assert [outcome.what for outcome in outcomes] == ["no-op", "no-op"]
    assert await calendar.world.calls() == [f"GET /calendars/events/appointments/{made}"] * 2


async def test_whether_the_guest_came_is_known_here_and_nothing_is_written(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed())
    made = (await calendar.one()).id
    await calendar.edit(made, appointmentStatus="showed")

    outcome = await calendar.notify("AppointmentUpdate", made)

    assert (outcome.what, outcome.writes) == ("applied", 0)
    assert await status_here(calendar, "b1") == "showed"
    assert len(calendar.sent) == 1


@pytest.mark.parametrize("way", ["cancelled", "deleted"])
async def test_a_cancel_in_ghl_cancels_the_booking_in_timerex_once(
    both: CalendarWorld, way: str
) -> None:
    booking_id = await both.book()
    made = (await both.one()).id
    await (both.edit(made, **CANCEL) if way == "cancelled" else both.delete(made))

    outcomes = [await both.notify("AppointmentUpdate", made) for _ in range(2)]

    assert [outcome.what for outcome in outcomes] == ["applied", "no-op"]
    assert outcomes[0].detail["booking_was"] == "cancelled in TimeRex"
    assert (await both.timerex_calls()).count("cancel-event") == 1
    assert (await both.audited(booking_id)).count("booking cancelled in TimeRex") == 1
    await both.receive_notifications(booking_id)
    assert (await both.blocked(booking_id)).booking.state is BookingState.CANCELLED
    assert (await both.world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
    assert (await both.timerex_calls()).count("cancel-event") == 1


async def test_where_the_connection_may_not_nothing_is_cancelled_and_nothing_undone(
    both: CalendarWorld,
) -> None:
    closed = both.with_settings(cancels_in_timerex=False)
    booking_id = await closed.book()
    made = (await closed.one()).id
    await closed.edit(made, **CANCEL)

    outcome = await closed.notify("AppointmentUpdate", made)
    await closed.receive_notifications(booking_id)

    assert outcome.detail["booking_was"] == "left alone"
    assert (await closed.one()).status == "cancelled"
    assert "cancel-event" not in await closed.timerex_calls()
    assert (await closed.blocked(booking_id)).booking.state is BookingState.CONFIRMED


async def test_a_meeting_that_has_begun_is_not_cancelled_in_timerex(both: CalendarWorld) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    await both.book(starts_at=an_hour_ago.isoformat())
    made = (await both.one()).id
    await both.edit(made, **CANCEL)

    await both.notify("AppointmentUpdate", made)

    assert "cancel-event" not in await both.timerex_calls()


async def test_a_booking_that_timerex_ended_already_is_no_error(both: CalendarWorld) -> None:
    booking_id = await both.book()
    made = (await both.one()).id
    await both.world.ask("POST", f"/timerex/bookings/{booking_id}/cancel", {})
    await both.edit(made, **CANCEL)

    outcome = await both.notify("AppointmentUpdate", made)

    assert outcome.what == "applied"
    assert await status_here(both, booking_id) == "cancelled"


@pytest.mark.parametrize("status", [401, 500])
async def test_while_timerex_does_not_do_it_the_notification_waits(
    both: CalendarWorld, status: int
) -> None:
    booking_id = await both.book()
    made = (await both.one()).id
    await both.edit(made, **CANCEL)
    fault = {"operation": "cancel-event", "nth": 1, "kind": "status", "value": status}
    await both.world.ask("POST", "/timerex/faults", fault)

    first = await both.notify("AppointmentUpdate", made)
    second = await both.notify("AppointmentUpdate", made)

    assert (first.what, second.what) == ("waiting", "applied")
    assert "booking cancelled in TimeRex" in await both.audited(booking_id)


@pytest.mark.parametrize("moment", ["after-intent", "after-write", "after-outcome"])
async def test_a_cancel_survives_a_crash(both: CalendarWorld, moment: str) -> None:
    booking_id = await both.book()
    made = (await both.one()).id
    await both.edit(made, **CANCEL)
    with killed_at(both.world, "booking.cancel", moment):
        await both.notify("AppointmentUpdate", made)

    await both.notify("AppointmentUpdate", made)
    await both.receive_notifications(booking_id)

    assert (await both.blocked(booking_id)).booking.state is BookingState.CANCELLED
    assert await status_here(both, booking_id) == "cancelled"


async def test_a_booking_made_here_is_cancelled_here(calendar: CalendarWorld) -> None:
    may = calendar.with_settings(cancels_in_timerex=True)
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    entry = BookingEntry(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        timezone="Asia/Tokyo",
        guest_email=RIKU,
    )
    editor = Editor(may.world.context.settings, "token:test")
    now = datetime.now(UTC)
    row = await may.world.ledger.write(booking_edits.add_booking, editor, entry, None, now)
    await may.handle_waiting()
    made = (await may.one()).id
    await may.edit(made, **CANCEL)

    outcome = await may.notify("AppointmentUpdate", made)
    await may.handle_waiting()

    assert outcome.detail["booking_was"] == "cancelled here"
    assert (await may.blocked(row.booking.id)).booking.state is BookingState.CANCELLED
    assert (await may.world.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
