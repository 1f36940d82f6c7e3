"""Which appointments have to be read again, by what a list of GHL's shows or omits."""

from datetime import datetime, timedelta
from typing import Final

from timerex_ghl.domain.bookings.appointment_fields import (
    CANCELLED,
    DELETED,
    STATUS,
    AppointmentState,
    times_of,
)
from timerex_ghl.domain.shared.ghl_models import GhlAppointment

NOT_LISTED: Final = "not listed"

CHECK_VALID_FOR: Final = timedelta(days=1)
"""How long a look is valid though the list still differs."""


def is_otherwise(state: AppointmentState, shown: GhlAppointment | None) -> bool:
    """Return whether an appointment's listing differs from its base.

    Fields that cannot be read are ignored. The list may omit a cancelled or deleted appointment.
    """
    if shown is None:
        return state.status not in {CANCELLED, DELETED}
    status = DELETED if shown.deleted else shown.status
    times = times_of(shown)
    return status not in {"", state.base.get(STATUS)} or any(
        at not in {"", state.base.get(field)} for field, at in times.items()
    )


def describe_shown(shown: GhlAppointment | None) -> str:
    """Describe an appointment's listing, so that the same one is recognized later."""
    if shown is None:
        return NOT_LISTED
    status = DELETED if shown.deleted else shown.status
    return " ".join([status, *times_of(shown).values()])


def is_looked_at(
    was_shown: str | None, looked_at: datetime | None, shows: str, now: datetime
) -> bool:
    """Return whether the appointment was already read because of this same listing.

    Args:
        was_shown: What the list showed when it last differed.
        looked_at: When the appointment was read since then.
        shows: What the list shows now.
        now: The current time.
    """
    return was_shown == shows and looked_at is not None and looked_at > now - CHECK_VALID_FOR
