from datetime import timedelta
from typing import Any

import pytest

from tests import make
from tests.domain.bookings.appointment_cases import (
    CALENDAR,
    GONE,
    JUN,
    KANA,
    LATER,
    LINK,
    OTHER,
    RIKU,
    RULES,
    USERS,
    A,
    B,
    X,
    made,
)
from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    ASSIGNED_TO,
    DELETED,
    DETAILS,
    ENDS_AT,
    STARTS_AT,
    STATUS,
    TITLE,
    AppointmentState,
    moment_text,
)
from timerex_ghl.domain.bookings.appointment_plan import (
    AppointmentPlan,
    map_calendar,
    plan_appointments,
)
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.actions import CreateAppointment, UpdateAppointment
from timerex_ghl.domain.shared.ghl_models import GhlCalendarId
from timerex_ghl.domain.shared.models import Booking, BookingId, FieldName, GhlContactId


def plan(
    *rows: Booking, contact_id: GhlContactId = RIKU, **states: AppointmentState
) -> AppointmentPlan:
    known = {BookingId(id_): state for id_, state in states.items()}
    return plan_appointments(rows, known, contact_id, RULES, USERS)


def changed(planned: AppointmentPlan) -> dict[FieldName, str]:
    """Return what the one update of a plan writes."""
    (action,) = planned.actions
    assert isinstance(action, UpdateAppointment)
    return action.values


def test_a_new_booking_gets_an_appointment_with_all_there_is_to_say() -> None:
    (action,) = plan(A).actions

    assert isinstance(action, CreateAppointment)
    assert (action.calendar_id, action.contact_id, action.booking_id) == (CALENDAR, RIKU, "a")
    assert {**action.values, DETAILS: ""} == {
        STARTS_AT: "2026-02-10T01:00:00+00:00",
        ENDS_AT: "2026-02-10T01:30:00+00:00",
        STATUS: "confirmed",
        TITLE: "Onboarding call 30: 佐藤 陸",
        ADDRESS: LINK,
        ASSIGNED_TO: KANA,
        DETAILS: "",
    }
    assert action.values[DETAILS] == "Host: Mori Kana\nCompany: Hinode Foods\nTimeRex booking a"


def test_what_stands_already_is_unchanged() -> None:
    assert plan(A, a=made()) == AppointmentPlan()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Onboarding  call 30", "by-name"),
        ("ＯＮＢＯＡＲＤＩＮＧ call 30", "by-name"),
        ("Sales", None),
    ],
)
def test_a_calendar_is_known_by_its_name_however_it_is_spelt(
    name: str, expected: str | None
) -> None:
    rules = [CalendarRule(timerex=name, ghl=GhlCalendarId("by-name"))]

    assert map_calendar(A, rules) == expected


def test_a_calendar_is_known_by_its_id_and_the_first_rule_counts() -> None:
    rules = [
        CalendarRule(timerex="91d3e0b7aa52c48f6e10", ghl=GhlCalendarId("by-id")),
        CalendarRule(timerex="*", ghl=GhlCalendarId("rest")),
    ]

    assert map_calendar(A, rules) == "by-id"
    assert map_calendar(make.booking(calendar_id="another"), rules) == "rest"
    assert map_calendar(make.booking(calendar_id=None), rules[:1]) is None


@pytest.mark.parametrize("rows", [(A, B), (B, A), (GONE, B)])
def test_a_successor_takes_the_appointment_over_and_moves_it(rows: tuple[Booking, ...]) -> None:
    planned = plan(*rows, a=made())

    assert planned.moves == (("a", "b"),)
    assert changed(planned) == {
        STARTS_AT: moment_text(B.starts_at),
        ENDS_AT: moment_text(B.ends_at),
    }


def test_a_moved_booking_waits_for_its_successor() -> None:
    assert plan(GONE) == plan(GONE, a=made()) == AppointmentPlan()


@pytest.mark.parametrize("status", ["confirmed", "new", "invalid"])
def test_a_cancel_cancels(status: str) -> None:
    values = changed(plan(make.booking("a", state=X), a=made(status=status)))

    assert values[STATUS] == "cancelled"
    assert STARTS_AT not in values


@pytest.mark.parametrize("status", ["showed", "noshow", "cancelled"])
def test_a_cancel_leaves_what_ghl_knows_better(status: str) -> None:
    planned = plan(A.model_copy(update={"state": X}), a=made(status=status))

    assert planned.actions == ()
    (kept,) = planned.kept
    assert kept.base[STATUS] == status


@pytest.mark.parametrize("status", ["showed", "noshow", "cancelled", "confirmed", "new"])
def test_ghls_status_stays_while_the_booking_stands_at_the_same_time(status: str) -> None:
    renamed = A.model_copy(update={"guest_name": "佐藤 陸斗"})

    assert changed(plan(renamed, a=made(status=status))) == {TITLE: "Onboarding call 30: 佐藤 陸斗"}


@pytest.mark.parametrize("status", ["showed", "noshow", "cancelled", "new"])
def test_another_time_is_another_meeting(status: str) -> None:
    assert changed(plan(GONE, B, a=made(status=status)))[STATUS] == "confirmed"


def test_a_cancelled_booking_that_only_says_something_else_is_not_cancelled_again() -> None:
    over = A.model_copy(update={"state": X})
    renamed = over.model_copy(update={"guest_name": "Riku"})

    values = changed(plan(renamed, a=made(over, status="confirmed")))

    assert values == {TITLE: "Onboarding call 30: Riku"}


def test_a_booking_that_stands_again_at_its_time_only_gets_its_status_back() -> None:
    over = A.model_copy(update={"state": X})

    values = changed(plan(A, a=made(over)))

    assert values[STATUS] == "confirmed"
    assert {STARTS_AT, ENDS_AT}.isdisjoint(values)


def test_a_booking_that_stands_again_keeps_that_the_guest_came() -> None:
    over = A.model_copy(update={"state": X})

    assert STATUS not in changed(plan(A, a=made(over, status="showed")))


def test_a_time_that_was_moved_in_ghl_stands_until_timerex_moves_it() -> None:
    remote: dict[str, Any] = {
        "starts_at": LATER + timedelta(days=3),
        "ends_at": LATER + timedelta(days=3, hours=1),
    }
    renamed = A.model_copy(update={"guest_name": "Riku"})

    assert STARTS_AT not in changed(plan(renamed, a=made(**remote)))
    assert changed(plan(GONE, B, a=made(**remote)))[STARTS_AT] == moment_text(B.starts_at)


@pytest.mark.parametrize(
    ("now", "field"),
    [
        ({"title": "VIP"}, TITLE),
        ({"address": "Room 5"}, ADDRESS),
        ({"assigned_to": JUN}, ASSIGNED_TO),
    ],
)
def test_what_people_chose_in_ghl_is_not_fought(now: dict[str, Any], field: FieldName) -> None:
    changes = {
        "guest_name": "Riku",
        "join_url": "https://meet.example/2",
        "host_emails": ("none@aoba.example", "kana@aoba.example"),
    }
    other = A.model_copy(update=changes)

    assert field not in changed(plan(other, a=made(**now)))


def test_another_host_gets_the_appointment() -> None:
    other = A.model_copy(update={"host_emails": ("jun@aoba.example",)})

    assert changed(plan(other, a=made())) == {ASSIGNED_TO: JUN}


def test_an_appointment_of_nobody_is_given_to_the_new_host() -> None:
    other = A.model_copy(update={"host_emails": ("jun@aoba.example",)})

    assert changed(plan(other, a=made(assigned_to=None))) == {ASSIGNED_TO: JUN}


def test_an_appointment_that_has_the_new_host_already_is_not_given_again() -> None:
    other = A.model_copy(update={"host_emails": ("kana@aoba.example", "jun@aoba.example")})

    assert plan(other, a=made()).actions == ()


def test_a_host_whom_ghl_does_not_know_changes_nothing() -> None:
    other = A.model_copy(update={"host_emails": ("new@aoba.example",)})

    assert plan(other, a=made()).actions == ()


def test_a_meetings_link_that_is_gone_is_taken_away() -> None:
    assert changed(plan(A.model_copy(update={"join_url": None}), a=made())) == {ADDRESS: ""}


def test_an_appointment_that_was_deleted_stays_deleted() -> None:
    planned = plan(GONE, B, a=made(deleted=True))

    assert planned.actions == ()
    assert planned.kept[0].base[STATUS] == DELETED


def test_a_booking_that_was_cancelled_meanwhile_gets_an_appointment_that_says_so() -> None:
    (action,) = plan(make.booking("a", state=X)).actions

    assert action.kind == "appointment.create"
    assert action.values[STATUS] == "cancelled"


def test_another_persons_appointment_is_cancelled_and_not_taken_over() -> None:
    planned = plan(GONE, B, a=made(contact_id=OTHER))

    create, end = planned.actions
    assert planned.moves == ()
    assert (create.kind, create.contact_id) == ("appointment.create", RIKU)
    assert isinstance(end, UpdateAppointment)
    assert (end.booking_id, end.values) == ("a", {STATUS: "cancelled"})


def test_another_persons_appointment_that_was_deleted_stays_deleted() -> None:
    planned = plan(GONE, B, a=made(contact_id=OTHER, deleted=True))

    assert [action.kind for action in planned.actions] == ["appointment.create"]
    assert planned.kept[0].base[STATUS] == DELETED


def test_an_appointment_whose_booking_went_on_keeps_that_the_guest_came() -> None:
    planned = plan(GONE, B, a=made(contact_id=OTHER, status="showed"))

    assert [action.kind for action in planned.actions] == ["appointment.create"]
    assert planned.kept[0].base[STATUS] == "showed"
