"""Which appointments that a list of GHL's shows, or leaves out, have to be looked at."""

from datetime import datetime, timedelta
from typing import Final

from timerex_ghl.domain.appointment_fields import (
    CANCELLED,
    DELETED,
    STATUS,
    AppointmentState,
    times_of,
)
from timerex_ghl.domain.ghl_models import GhlAppointment

NOT_LISTED: Final = "not listed"

CHECK_VALID_FOR: Final = timedelta(days=1)
"""So long a look counts after which the list still shows something else."""


def is_otherwise(state: AppointmentState, shown: GhlAppointment | None) -> bool:
    """Tell whether a list shows an appointment otherwise than both sides last agreed.

    What cannot be read says nothing. One that is over may be left out of the list.
    """
    if shown is None:
        return state.status not in {CANCELLED, DELETED}
    status = DELETED if shown.deleted else shown.status
    times = times_of(shown)
    return status not in {"", state.base.get(STATUS)} or any(
        at not in {"", state.base.get(field)} for field, at in times.items()
    )


def describe_shown(shown: GhlAppointment | None) -> str:
    """Say what a list shows of an appointment, so that the same is known again."""
    if shown is None:
        return NOT_LISTED
    status = DELETED if shown.deleted else shown.status
    return " ".join([status, *times_of(shown).values()])


def is_looked_at(
    was_shown: str | None, looked_at: datetime | None, shows: str, now: datetime
) -> bool:
    """Tell whether somebody looked already because the list shows just this.

    Args:
        was_shown: What the list showed when it last was otherwise.
        looked_at: When the appointment was read since then.
        shows: What the list shows now.
        now: The time it is.
    """
    return was_shown == shows and looked_at is not None and looked_at > now - CHECK_VALID_FOR
