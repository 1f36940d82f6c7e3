"""Plan what a change of an appointment in GHL means for its booking."""

from datetime import datetime

from timerex_ghl.domain.bookings.appointment_fields import (
    CALENDAR,
    CANCELLED,
    DELETED,
    ENDS_AT,
    STARTS_AT,
    STATUS,
    AppointmentState,
)
from timerex_ghl.domain.shared.models import Booking, BookingState, FieldName, Record


class NotificationPlan(Record):
    """What to do about an appointment that was read back.

    Attributes:
        base: The new base.
        cancels: The booking should be cancelled, if the connection allows it.
        is_moved: It has another time in GHL. It is left so: TimeRex cannot move a booking.
    """

    base: dict[FieldName, str]
    cancels: bool
    is_moved: bool


def plan_appointment_notification(
    booking: Booking, state: AppointmentState, now: datetime
) -> NotificationPlan:
    """Plan from an appointment, as it was just read from GHL.

    GHL owns its status and calendar. A cancel or a delete there cancels the booking, unless that
    is cancelled already or the meeting has begun.
    """
    is_over = state.status in {CANCELLED, DELETED}
    was_over = state.base.get(STATUS) in {CANCELLED, DELETED}
    stands = booking.state is BookingState.CONFIRMED and booking.starts_at > now
    agreed = {field: state.base.get(field, "") for field in (STARTS_AT, ENDS_AT)}
    return NotificationPlan(
        base={**state.base, STATUS: state.status, **_place_of(state)},
        cancels=is_over and not was_over and stands,
        is_moved=not is_over and state.times != agreed,
    )


def _place_of(state: AppointmentState) -> dict[FieldName, str]:
    calendar_id = state.now.calendar_id if state.now else None
    return {CALENDAR: calendar_id} if calendar_id else {}
