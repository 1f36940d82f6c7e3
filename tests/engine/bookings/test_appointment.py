"""One booking becomes one appointment in GHL's calendar, which follows the booking."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.deliveries import cancelled, confirmed, moved
from tests.engine.calendar_world import HANA, RIKU, CalendarWorld
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.errors import ScopeError

STARTS = datetime(2026, 2, 10, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 17, 1, tzinfo=UTC)
HALF = timedelta(minutes=30)


@pytest.mark.both_databases
async def test_a_booking_becomes_an_appointment_and_no_note(calendar: CalendarWorld) -> None:
    meeting = {"join_url": "https://zoom.example/j/1"}

    outcome = await calendar.receive(confirmed(hosts=[HANA], zoom_meeting=meeting))

    made = await calendar.one()
    assert (outcome.what, outcome.writes) == ("applied", 3)
    assert (made.starts_at, made.ends_at) == (STARTS, STARTS + HALF)
    assert (made.status, made.title) == ("confirmed", "Onboarding call 30: Riku Sato")
    assert (made.calendar_id, made.assigned_to) == (calendar.calendar_id, calendar.user_id)
    assert made.address == "https://zoom.example/j/1"
    assert await calendar.world.notes_of(RIKU) == []


async def test_nobody_is_notified_and_any_time_is_taken_unless_the_connection_says_otherwise(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed(starts_at=STARTS + timedelta(hours=13)))  # at night

    (sent,) = calendar.sent
    assert (sent["toNotify"], sent["ignoreFreeSlotValidation"]) == (False, True)
    assert "TimeRex booking b1" in sent["description"]


async def test_a_connection_may_notify_and_refuse_taken_slots(calendar: CalendarWorld) -> None:
    strict = calendar.with_settings(notifies=True, ignores_slots=False)

    outcome = await strict.receive(confirmed(starts_at=STARTS + timedelta(hours=13)))

    (sent,) = calendar.sent
    assert (sent["toNotify"], sent["ignoreFreeSlotValidation"]) == (True, False)
    assert outcome.what == "dead"
    (review,) = await calendar.world.ledger.read(
        reviews.open_reviews, calendar.world.context.connection
    )
    assert review.kind == "refused"


async def test_a_slot_that_is_taken_in_ghl_is_taken_all_the_same(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed())
    await calendar.receive(confirmed("b2", "mei@umi.example"))

    assert (await calendar.one("mei@umi.example")).starts_at == (await calendar.one()).starts_at


async def test_replaying_a_booking_costs_no_call(calendar: CalendarWorld) -> None:
    event = await calendar.world.receive(confirmed(hosts=[HANA]))
    await calendar.world.handle(event)
    await calendar.world.calls()

    (outcome,) = await calendar.world.handle(event, replay=True)

    calls = await calendar.world.calls()
    assert (outcome.what, outcome.writes) == ("no-op", 0)
    assert [call for call in calls if "calendars" in call or "users" in call] == []


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
async def test_a_moved_booking_moves_its_appointment_in_every_order(
    calendar: CalendarWorld, order: tuple[int, int, int]
) -> None:
    bodies = (confirmed(), *moved("b1", "b2"))

    for index in order:
        await calendar.receive(bodies[index])

    one = await calendar.one()
    assert (one.starts_at, one.ends_at, one.status) == (LATER, LATER + HALF, "confirmed")
    assert (await calendar.link("b2")).remote_id == one.id


@pytest.mark.parametrize("cancel_first", [False, True])
async def test_a_cancelled_booking_has_a_cancelled_appointment_whichever_half_came_first(
    calendar: CalendarWorld, *, cancel_first: bool
) -> None:
    bodies = [confirmed(), cancelled(cancellation_reason="Ill")]

    for body in reversed(bodies) if cancel_first else bodies:
        await calendar.receive(body)

    one = await calendar.one()
    assert (one.status, one.deleted) == ("cancelled", False)
    assert "Cancelled (Ill)" in calendar.sent[-1]["description"] or cancel_first


async def test_whether_the_guest_came_is_kept_until_the_booking_moves(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed())
    made = await calendar.one()
    await calendar.edit(made.id, appointmentStatus="noshow")

    await calendar.receive(cancelled())
    assert (await calendar.one()).status == "noshow"

    for body in moved("b1", "b2"):
        await calendar.receive(body)
    assert (await calendar.one()).status == "confirmed"


async def test_what_people_changed_in_ghl_is_not_fought(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed(zoom_meeting={"join_url": "https://zoom.example/j/1"}))
    made = await calendar.one()
    remote = {"startTime": "2026-02-11T10:00:00+09:00", "endTime": "2026-02-11T10:30:00+09:00"}
    free = {"ignoreFreeSlotValidation": True}
    await calendar.edit(made.id, title="VIP call", address="Room 5", **remote, **free)

    notify = await calendar.notify("AppointmentUpdate", made.id)
    another = {"join_url": "https://zoom.example/j/2"}
    await calendar.receive(confirmed(guest_name="Riku S.", zoom_meeting=another))

    now = await calendar.one()
    assert (now.title, now.address) == ("VIP call", "Room 5")
    assert now.starts_at == STARTS + timedelta(days=1)
    assert notify.detail["moved_in_ghl"] == "left alone"


async def test_somebody_who_rebooks_under_another_name_gets_their_own(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed())
    first = await calendar.one()
    gone, new = moved("b1", "b2", "mei@umi.example")

    await calendar.receive(new)
    await calendar.receive(
        {**gone, "event": {**gone["event"], "form": confirmed()["event"]["form"]}}
    )

    assert (await calendar.one("mei@umi.example")).starts_at == LATER
    old = await calendar.world.context.ghl.get_appointment(first.id)
    assert (old.status, old.starts_at) == ("cancelled", STARTS)


async def test_a_host_who_is_not_in_the_calendars_team_leaves_it_to_ghl(
    calendar: CalendarWorld,
) -> None:
    user = {"name": "Jun Abe", "email": "jun@aoba.example"}
    made = await calendar.world.ask("POST", "/ghl/users", user)
    await calendar.world.ask("POST", "/ghl/calendars", {"name": "Jun's"})

    outcome = await calendar.receive(confirmed(hosts=[user]))

    refused, taken = calendar.sent
    assert refused["assignedUserId"] == made["user"]["id"]
    assert "assignedUserId" not in taken
    assert (outcome.what, (await calendar.one()).assigned_to) == ("applied", calendar.user_id)


async def test_without_the_right_to_see_users_nobody_is_assigned(calendar: CalendarWorld) -> None:
    await calendar.lose("users.readonly")

    await calendar.receive(confirmed(hosts=[HANA]))

    assert "assignedUserId" not in calendar.sent[0]


async def test_a_calendar_that_is_not_mapped_is_reported_by_a_note(calendar: CalendarWorld) -> None:
    other = calendar.with_settings(
        calendars=(CalendarRule(timerex="Sales", ghl=calendar.calendar_id),)
    )

    await other.receive(confirmed())

    assert len(await calendar.world.notes_of(RIKU)) == 1
    assert await calendar.appointments() == []


async def test_what_a_booking_has_it_keeps_when_calendars_are_mapped_otherwise(
    calendar: CalendarWorld,
) -> None:
    unmapped = calendar.with_settings(calendars=())
    await unmapped.receive(confirmed("noted"))
    await calendar.receive(confirmed("placed", "mei@umi.example"))

    await calendar.receive(cancelled("noted"))
    await unmapped.receive(cancelled("placed", "mei@umi.example"))

    (note,) = await calendar.world.notes_of(RIKU)
    assert "Cancelled" in note
    assert await calendar.appointments() == []
    assert (await calendar.one("mei@umi.example")).status == "cancelled"
    assert await calendar.world.notes_of("mei@umi.example") == []


async def test_an_appointment_that_a_person_deleted_stays_deleted(calendar: CalendarWorld) -> None:
    await calendar.receive(confirmed())
    await calendar.delete((await calendar.one()).id)

    outcome = await calendar.receive(cancelled())
    await calendar.receive(cancelled(cancellation_reason="Ill"))

    assert await calendar.appointments() == []
    assert outcome.what == "applied"
    assert len(calendar.sent) == 1


async def test_without_the_right_to_write_appointments_the_contact_is_in_sync_and_the_event_waits(
    calendar: CalendarWorld,
) -> None:
    await calendar.lose("calendars/events.write")
    event = await calendar.world.receive(confirmed())

    with pytest.raises(ScopeError, match=r"lacks calendars/events\.write"):
        await calendar.world.handle(event)

    assert await calendar.world.state_of(event) == "waiting"
    assert (await calendar.world.one_in_crm(RIKU))["tags"] == ["timerex booked"]
    assert calendar.sent == []


async def test_an_appointment_that_is_made_at_two_moments_of_one_hour_in_autumn_is_distinguished(
    calendar: CalendarWorld,
) -> None:
    """01:30 comes twice in New York on 1 November 2026; GHL's list has local times only."""
    await calendar.world.ask("POST", "/ghl/settings", {"timezone": "America/New_York"})
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    await calendar.receive(confirmed(starts_at=first))
    fault = {"operation": "create-appointment", "nth": 1, "kind": "drop_after_commit"}
    await calendar.world.ask("POST", "/ghl/faults", fault)
    event = await calendar.world.receive(confirmed("b2", starts_at=second))

    outcomes = [*await calendar.world.handle(event), *await calendar.world.handle(event)]

    assert [one.what for one in outcomes] == ["waiting", "no-op"]
    assert sorted(one.starts_at or STARTS for one in await calendar.appointments()) == [
        first,
        second,
    ]
