"""Changes of appointments in GHL are found without a webhook, at one call a calendar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deliveries import confirmed
from tests.engine.bookings.test_appointment_inbound import CANCEL, status_here
from tests.engine.calendar_world import RIKU, CalendarWorld
from tests.engine.world import NAME
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, reviews
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.errors import ScopeError
from timerex_ghl.domain.shared.models import BookingState
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.sweep import handle_activity_key
from timerex_ghl.engine.bookings.appointment_sweep import list_changed_appointments
from timerex_ghl.engine.process import process_record

DAY = timedelta(days=1)
MEI = "mei@umi.example"


def soon(**live_run: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**live_run)


async def found(calendar: CalendarWorld, *, later: timedelta = timedelta()) -> list[RecordRef]:
    return await list_changed_appointments(calendar.world.context, datetime.now(UTC) + later)


async def sweep(calendar: CalendarWorld, *, dry_run: bool = False) -> list[Outcome]:
    """Do what a run of the flow does."""

    async def handle(_context: object, key: RecordRef) -> Outcome:
        return await handle_activity_key(calendar.world.context, key, dry_run=dry_run)

    keys = await found(calendar)
    return [await process_record(calendar.world.context, handle, key) for key in keys]


async def calls_of(calendar: CalendarWorld) -> list[str]:
    """Return the requests to calendars since the last check."""
    return [call for call in await calendar.world.calls() if "/calendars" in call]


@pytest.mark.both_databases
@pytest.mark.parametrize("way", ["cancelled", "deleted"])
async def test_a_cancel_that_no_webhook_reported_of_reaches_timerex_once(
    both: CalendarWorld, way: str
) -> None:
    booking_id = await both.book()
    made = (await both.one()).id
    await (both.edit(made, **CANCEL) if way == "cancelled" else both.delete(made))

    outcomes = [*await sweep(both), *await sweep(both)]
    await both.receive_notifications(booking_id)

    assert [(one.what, one.detail.get("booking_was")) for one in outcomes] == [
        ("applied", "cancelled in TimeRex")
    ]
    assert (await both.timerex_calls()).count("cancel-event") == 1
    assert (await both.blocked(booking_id)).booking.state is BookingState.CANCELLED
    assert await status_here(both, booking_id) == way


async def test_where_the_connection_may_not_the_cancel_is_known_here_and_nothing_is_undone(
    both: CalendarWorld,
) -> None:
    closed = both.with_settings(cancels_in_timerex=False)
    booking_id = await closed.book()
    await closed.edit((await closed.one()).id, **CANCEL)

    (outcome,) = await sweep(closed)

    assert outcome.detail["booking_was"] == "left alone"
    assert await status_here(closed, booking_id) == "cancelled"
    assert "cancel-event" not in await closed.timerex_calls()
    assert await sweep(closed) == []


@pytest.mark.parametrize("status", ["showed", "noshow"])
async def test_whether_the_guest_came_yesterday_is_known_here(
    calendar: CalendarWorld, status: str
) -> None:
    await calendar.receive(confirmed(starts_at=soon(hours=-20)))
    await calendar.edit((await calendar.one()).id, appointmentStatus=status)

    (outcome,) = await sweep(calendar)

    assert (outcome.what, outcome.writes) == ("applied", 0)
    assert await status_here(calendar, "b1") == status
    assert len(calendar.sent) == 1


async def test_where_nothing_changed_a_calendar_costs_one_call(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed(starts_at=soon(days=1)))
    await calendar.receive(confirmed("b2", MEI, starts_at=soon(days=40)))
    await calls_of(calendar)

    assert await sweep(calendar) == []

    assert await calls_of(calendar) == ["GET /calendars/events"]


async def test_a_calendar_that_is_not_mapped_any_more_is_listed_while_an_appointment_stands_in_it(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed(starts_at=soon(days=2)))
    made = (await calendar.one()).id
    other = await calendar.world.ask("POST", "/ghl/calendars", {"name": "Other"})
    mapped = calendar.with_settings(
        calendars=(CalendarRule(timerex="*", ghl=other["calendar"]["id"]),)
    )
    await calendar.edit(made, **CANCEL)
    await calls_of(calendar)

    assert await found(mapped) == [RecordRef("ghl-appointment", made)]
    assert await calls_of(calendar) == ["GET /calendars/events"] * 2
    assert await found(mapped, later=4 * DAY) == []
    assert await calls_of(calendar) == ["GET /calendars/events"]


async def test_without_a_calendar_and_an_appointment_nothing_is_asked(
    calendar: CalendarWorld,
) -> None:
    unmapped = calendar.with_settings(calendars=())
    await unmapped.receive(confirmed(starts_at=soon(days=1)))
    await calls_of(calendar)

    assert await sweep(unmapped) == []

    assert await calls_of(calendar) == []


async def test_a_dry_run_writes_nothing_and_shows_what_would_become_of_the_booking(
    both: CalendarWorld,
) -> None:
    began_at = datetime.now(UTC)
    booking_id = await both.book()
    made = (await both.one()).id
    await both.edit(made, **CANCEL)

    outcomes = [*await sweep(both, dry_run=True), *await sweep(both, dry_run=True)]

    plans = await both.world.ledger.read(dry_run_plans.read_plans, NAME, began_at)
    assert [(one.what, one.writes) for one in outcomes] == [("applied", 0)] * 2
    assert plans[RecordRef("ghl-appointment", made)] == {
        "to_workspace": {"values": {"status": "cancelled", "booking": "cancelled in TimeRex"}}
    }
    assert await status_here(both, booking_id) == "confirmed"
    assert "cancel-event" not in await both.timerex_calls()
    assert [one.what for one in await sweep(both)] == ["applied"]


async def test_what_stays_otherwise_in_ghl_is_read_once_a_day_and_still_noticed_when_it_changes(
    calendar: CalendarWorld,
) -> None:
    """A time changed in GHL stays there, and TimeRex's is the base."""
    await calendar.receive(confirmed(starts_at=soon(days=5)))
    made = (await calendar.one()).id
    at = soon(days=4)
    times: dict[str, Any] = {"startTime": at.isoformat(), "endTime": (at + DAY / 48).isoformat()}
    await calendar.edit(made, **times, ignoreFreeSlotValidation=True)

    outcomes = [*await sweep(calendar), *await sweep(calendar)]

    assert [(one.what, one.detail["moved_in_ghl"]) for one in outcomes] == [("no-op", "left alone")]
    assert await found(calendar, later=DAY) == [RecordRef("ghl-appointment", made)]
    await calendar.edit(made, **CANCEL)
    assert [one.what for one in await sweep(calendar)] == ["applied"]
    assert await status_here(calendar, "b1") == "cancelled"


async def test_one_that_the_list_does_not_show_is_read_once_a_day(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed(starts_at=soon(days=5)))
    made = (await calendar.one()).id
    fault = {"operation": "get-calendar-events", "kind": "status", "value": 400, "times": 9}
    await calendar.world.ask("POST", "/ghl/faults", fault)

    outcomes = [*await sweep(calendar), *await sweep(calendar)]

    assert [one.what for one in outcomes] == ["no-op"]
    assert await found(calendar, later=DAY) == [RecordRef("ghl-appointment", made)]
    assert await status_here(calendar, "b1") == "confirmed"


async def test_what_was_made_in_ghl_is_ghls_alone(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed())
    contact = await calendar.world.one_in_crm(RIKU)
    body = {"calendarId": calendar.calendar_id, "contactId": contact["id"]}
    where = {"locationId": calendar.world.context.settings.ghl.location_id}
    begin = {"startTime": soon(hours=3).isoformat(), "ignoreFreeSlotValidation": True}
    path = "/ghl/person/calendars/events/appointments"
    await calendar.world.ask("POST", path, {**body, **where, **begin})

    assert await sweep(calendar) == []


async def test_while_timerex_refuses_a_cancel_a_person_is_asked_and_it_is_tried_once_a_day(
    both: CalendarWorld,
) -> None:
    await both.book()
    made = (await both.one()).id
    await both.edit(made, **CANCEL)
    fault = {"operation": "cancel-event", "kind": "status", "value": 422, "times": 9}
    await both.world.ask("POST", "/timerex/faults", fault)

    outcomes = [*await sweep(both), *await sweep(both)]

    (review,) = await both.world.ledger.read(reviews.open_reviews, NAME)
    assert [one.what for one in outcomes] == ["dead"]
    assert (review.kind, str(review.subject)) == ("refused", f"ghl-appointment:{made}")


async def test_while_timerex_is_down_the_next_run_tries_again(both: CalendarWorld) -> None:
    booking_id = await both.book()
    await both.edit((await both.one()).id, **CANCEL)
    fault = {"operation": "cancel-event", "nth": 1, "kind": "status", "value": 500}
    await both.world.ask("POST", "/timerex/faults", fault)

    outcomes = [*await sweep(both), *await sweep(both)]

    assert [one.what for one in outcomes] == ["waiting", "applied"]
    assert "booking cancelled in TimeRex" in await both.audited(booking_id)


async def test_without_the_right_to_read_appointments_nothing_is_asked(
    calendar: CalendarWorld,
) -> None:
    await calendar.lose("calendars/events.readonly")
    await calls_of(calendar)

    with pytest.raises(ScopeError, match=r"lacks calendars/events\.readonly"):
        await found(calendar)

    assert await calls_of(calendar) == []
