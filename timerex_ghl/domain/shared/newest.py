"""Which side changed a value last, as far as the known times prove it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from timerex_ghl.domain.shared.merge_field import Side


class ChangeTime(NamedTuple):
    """When a value was last changed: between two times, either of which may be unknown.

    Attributes:
        after: It was another value then.
        before: It had been changed by then. A record's time of change says no more than this: any
            other field may have moved it.
    """

    after: datetime | None = None
    before: datetime | None = None


class Evidence(NamedTuple):
    """When each side's value was last changed."""

    workspace: ChangeTime
    ghl: ChangeTime


def newer_side(evidence: Evidence, tolerance: timedelta) -> Side | None:
    """Return the side that changed its value last; None where the times do not prove it.

    Args:
        evidence: When each side's value was last changed.
        tolerance: How much the two sides' clocks may differ, and times be rounded.
    """
    if not all(_is_possible(one, tolerance) for one in evidence):
        return None
    workspace, ghl = evidence
    if _is_later(workspace, ghl, tolerance):
        return "workspace"
    return "ghl" if _is_later(ghl, workspace, tolerance) else None


def _is_possible(time: ChangeTime, tolerance: timedelta) -> bool:
    """Return whether the two times fit together; if not, a clock is wrong."""
    return time.after is None or time.before is None or time.after - time.before <= tolerance


def _is_later(one: ChangeTime, other: ChangeTime, tolerance: timedelta) -> bool:
    return (
        one.after is not None and other.before is not None and one.after - other.before > tolerance
    )
