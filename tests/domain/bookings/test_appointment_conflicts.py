"""What TimeRex and GHL's users both changed of an appointment is recorded, whoever wins."""

from datetime import timedelta
from typing import Any

import pytest

from tests.domain.bookings.appointment_cases import JUN, LATER, RIKU, RULES, USERS, A, X, made
from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    DELETED,
    ENDS_AT,
    HOSTS,
    STATUS,
    TITLE,
    moment_text,
)
from timerex_ghl.domain.bookings.appointment_plan import KeptAppointment, plan_appointments
from timerex_ghl.domain.shared.actions import UpdateAppointment
from timerex_ghl.domain.shared.models import FieldName


@pytest.mark.parametrize(
    ("now", "changes", "found"),
    [
        ({"title": "VIP"}, {"guest_name": "Riku"}, [(TITLE, "VIP", "ghl")]),
        ({"address": "Room 5"}, {"join_url": "https://x.example"}, [(ADDRESS, "Room 5", "ghl")]),
        ({"assigned_to": JUN}, {"host_emails": ("x@x.example",)}, [(HOSTS, JUN, "ghl")]),
        (
            {"ends_at": LATER},
            {"ends_at": LATER + timedelta(days=1)},
            [(ENDS_AT, moment_text(LATER), "workspace")],
        ),
        ({"status": "cancelled"}, {"ends_at": LATER}, [(STATUS, "cancelled", "workspace")]),
        ({"status": "noshow"}, {"state": X}, [(STATUS, "noshow", "ghl")]),
        ({"deleted": True}, {"ends_at": LATER}, [(STATUS, DELETED, "ghl")]),
        ({"deleted": True}, {"state": X}, []),
        ({}, {"ends_at": LATER, "guest_name": "Riku"}, []),
        ({"title": "VIP"}, {"ends_at": LATER}, []),
    ],
)
def test_what_both_changed_is_a_conflict_on_record_once(
    now: dict[str, Any], changes: dict[str, Any], found: list[tuple[FieldName, str, str]]
) -> None:
    booking, state = A.model_copy(update=changes), made(**now)

    planned = plan_appointments([booking], {A.id: state}, RIKU, RULES, USERS)

    (one,) = [*planned.actions, *planned.kept]
    assert isinstance(one, UpdateAppointment | KeptAppointment)
    assert [(each.field, each.ghl, each.winner) for each in one.conflicts] == found
    assert all(each.base == state.base[each.field] for each in one.conflicts)
    after = state.model_copy(update={"base": one.base})
    again = plan_appointments([booking], {A.id: after}, RIKU, RULES, USERS)
    assert (again.actions, again.kept) == ((), ()), "the new base ends it"
