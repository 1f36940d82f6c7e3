"""What holds for every chain of bookings with appointments, and every notification of one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import make
from tests.domain.bookings.appointment_cases import (
    GONE,
    LATER,
    RIKU,
    RULES,
    USERS,
    A,
    X,
    ghl_of,
    made,
)
from tests.domain.bookings.test_booking_laws import at, connected, deliver
from tests.domain.strategies import chains
from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    ENDS_AT,
    STARTS_AT,
    STATUS,
    TITLE,
    AppointmentState,
    base_after,
    moment_text,
)
from timerex_ghl.domain.bookings.appointment_notifications import plan_appointment_notification
from timerex_ghl.domain.bookings.appointment_plan import AppointmentPlan, plan_appointments
from timerex_ghl.domain.shared.actions import DeleteAppointment
from timerex_ghl.domain.shared.ghl_models import GhlAppointment, GhlAppointmentId
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState, FieldName

States = Mapping[BookingId, AppointmentState]


def write(states: States, planned: AppointmentPlan) -> dict[BookingId, AppointmentState]:
    """Apply a plan as GHL would."""
    known = dict(states)
    for old, new in planned.moves:
        known[new] = known.pop(old)
    for kept in planned.kept:
        known[kept.booking_id] = known[kept.booking_id].model_copy(update={"base": kept.base})
    for action in planned.actions:
        if isinstance(action, DeleteAppointment):
            del known[action.booking_id]
            continue
        before = known.get(action.booking_id)
        shown = {} if before is None or before.now is None else shown_of(before.now)
        id_ = f"e{len(known)}" if before is None else before.id
        now = ghl_of({**shown, **action.values}, id_)
        known[action.booking_id] = AppointmentState(
            id=GhlAppointmentId(id_),
            contact_id=action.contact_id,
            base=base_after(action, now),
            now=now,
        )
    return known


def shown_of(now: GhlAppointment) -> dict[FieldName, str]:
    assert now.starts_at is not None
    assert now.ends_at is not None
    return {
        TITLE: now.title,
        STATUS: now.status,
        STARTS_AT: now.starts_at.isoformat(),
        ENDS_AT: now.ends_at.isoformat(),
        ADDRESS: now.address,
    }


@given(chains(), st.data())
def test_a_chain_has_one_appointment_that_stands_and_repeating_writes_nothing(
    deliveries: list[Booking], data: st.DataObject
) -> None:
    rows: dict[BookingId, Booking] = {}
    states: dict[BookingId, AppointmentState] = {}
    for delivery in data.draw(st.permutations(deliveries)):
        rows = deliver([*rows.values(), delivery])
        mine = connected(rows, delivery)
        states = write(states, plan_appointments(mine, at(states, mine), RIKU, RULES, USERS))
        again = plan_appointments(mine, at(states, mine), RIKU, RULES, USERS)
        assert again == AppointmentPlan()

    assert len(states) == 1
    standing = [state for state in states.values() if state.status == "confirmed"]
    head = max(rows.values(), key=lambda row: row.id)
    assert len(standing) == (head.state is BookingState.CONFIRMED)
    assert all(state.times[STARTS_AT] == moment_text(head.starts_at) for state in standing)


NOW = make.STARTS - timedelta(hours=1)


@pytest.mark.parametrize("over", [{"status": "cancelled"}, {"deleted": True}])
def test_a_cancel_in_ghl_is_a_wish_to_cancel_the_booking(over: dict[str, Any]) -> None:
    assert plan_appointment_notification(A, made(**over), NOW).cancels


def test_a_cancel_that_is_known_or_too_late_or_done_is_no_wish() -> None:
    over = made(status="cancelled")
    known = over.model_copy(update={"base": {**over.base, STATUS: "cancelled"}})

    assert not plan_appointment_notification(A, known, NOW).cancels
    assert not plan_appointment_notification(A, over, A.starts_at).cancels
    assert not plan_appointment_notification(GONE, over, NOW).cancels
    assert not plan_appointment_notification(make.booking(state=X), over, NOW).cancels


def test_a_status_is_kept_and_a_move_is_noticed() -> None:
    moved = plan_appointment_notification(A, made(status="noshow", starts_at=LATER), NOW)

    assert (moved.base[STATUS], moved.is_moved, moved.cancels) == ("noshow", True, False)
    assert not plan_appointment_notification(A, made(), NOW).is_moved
