"""What the handlers use of their process, and tests replace: clock, failpoints, waits."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from timerex_ghl.engine.writes.failpoints import failpoint
from timerex_ghl.engine.writes.locking import TTL_S


def utc_now() -> datetime:
    """Read the clock: aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """The clock, the failpoints and the waits of a process.

    Attributes:
        clock: Returns the current time: aware, UTC.
        failpoint: Called with an action and a moment wherever a test may kill the process.
        lease_wait_s: How long a job waits for its lease: as long as a killed run's can last.
    """

    clock: Callable[[], datetime] = utc_now
    failpoint: Callable[[str, str], None] = failpoint
    lease_wait_s: float = TTL_S + 2


_DEFAULT = Runtime()
_runtime = ContextVar("runtime", default=_DEFAULT)


def current_runtime() -> Runtime:
    """Return what newly opened connections use."""
    return _runtime.get()


@contextmanager
def use_runtime(runtime: Runtime) -> Generator[None]:
    """Let connections that are opened in this context use another runtime."""
    token = _runtime.set(runtime)
    try:
        yield
    finally:
        _runtime.reset(token)
