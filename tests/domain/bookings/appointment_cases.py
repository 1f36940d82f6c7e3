"""Bookings and their appointments, as we created them and as GHL has them now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests import make
from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    ASSIGNED_TO,
    ENDS_AT,
    STARTS_AT,
    STATUS,
    TITLE,
    AppointmentState,
    base_after,
)
from timerex_ghl.domain.bookings.appointment_plan import plan_appointments
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.actions import CreateAppointment
from timerex_ghl.domain.shared.ghl_models import GhlAppointment, GhlCalendarId, GhlUserId
from timerex_ghl.domain.shared.models import Booking, BookingState, FieldName, GhlContactId

X, M = BookingState.CANCELLED, BookingState.MOVED
RIKU, OTHER = GhlContactId("ghl-riku"), GhlContactId("ghl-other")
CALENDAR = GhlCalendarId("cal1")
RULES = (CalendarRule(timerex="*", ghl=CALENDAR),)
KANA, JUN = GhlUserId("kana1"), GhlUserId("jun1")
USERS = {"kana@aoba.example": KANA, "jun@aoba.example": JUN}
LATER = make.STARTS + timedelta(days=1)
LINK = "https://meet.example/1"
A = make.booking("a", join_url=LINK, host_emails=("kana@aoba.example",))
B = make.booking("b", old_id="a", starts_at=LATER, join_url=LINK)
GONE = make.booking("a", state=M, new_id="b", join_url=LINK, host_emails=("kana@aoba.example",))


def made(
    booking: Booking = A, contact_id: GhlContactId = RIKU, id_: str = "e1", **now: Any
) -> AppointmentState:
    """An appointment as we created it; the named fields differ in GHL now."""
    (action,) = plan_appointments([booking], {}, contact_id, RULES, USERS).actions
    assert isinstance(action, CreateAppointment)
    answer = ghl_of(action.values, id_)
    return AppointmentState(
        id=answer.id,
        contact_id=contact_id,
        base=base_after(action, answer),
        now=answer.model_copy(update=now),
    )


def ghl_of(values: Mapping[FieldName, str], id_: str) -> GhlAppointment:
    return GhlAppointment.model_validate(
        {
            "id": id_,
            "calendar_id": CALENDAR,
            "contact_id": RIKU,
            "title": values.get(TITLE, ""),
            "status": values.get(STATUS, "confirmed"),
            "starts_at": values[STARTS_AT],
            "ends_at": values[ENDS_AT],
            "assigned_to": values.get(ASSIGNED_TO),
            "address": values.get(ADDRESS, ""),
        }
    )
