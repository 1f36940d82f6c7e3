"""What the handlers take from their process, and tests replace: the clock and the failpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from timerex_ghl.carry.failpoints import failpoint


def utc_now() -> datetime:
    """Read the clock: aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """The clock and the failpoints of a process.

    Attributes:
        clock: Returns the current time: aware, UTC.
        failpoint: Called with an action and a moment wherever a test may kill the process.
    """

    clock: Callable[[], datetime] = utc_now
    failpoint: Callable[[str, str], None] = failpoint
