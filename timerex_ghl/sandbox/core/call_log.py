"""The log of calls, for checkers: the keys of bodies, no values."""

from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from timerex_ghl.sandbox.core.json_io import Json, iso_ms

KEPT = 200_000


class LoggedCall(NamedTuple):
    """One call.

    Attributes:
        fault: The kind of fault that hit it.
        status: The service's answer, before a fault changed it; 0 if the service was not called.
        took_ms: From its first byte until the answer was ready, including waits.
        cpu_ms: Processor time of that.
        keys: Keys of the body, if it was read.
    """

    operation: str
    method: str
    path: str
    at_ms: int
    fault: str | None
    status: int = 0
    took_ms: float = 0
    cpu_ms: float = 0
    keys: Sequence[str] = ()


class CallLog:
    """The newest calls since the last `clear`."""

    def __init__(self, kept: int = KEPT) -> None:
        self.count = 0
        self._calls: deque[LoggedCall] = deque(maxlen=kept)

    @property
    def forgotten(self) -> int:
        """Return how many of the oldest calls were dropped."""
        return self.count - len(self._calls)

    def add(self, call: LoggedCall) -> None:
        """Add a call."""
        self.count += 1
        self._calls.append(call)

    def clear(self) -> None:
        """Remove all calls; the next one has number 0 again."""
        self.count = 0
        self._calls.clear()

    def page(self, since: int, limit: int, operation: str | None) -> Json:
        """Return the calls from number `since` on, and the number of the next page."""
        begin = max(0, since - self.forgotten)
        end = min(len(self._calls), begin + limit)
        found = islice(self._calls, begin, end)
        return {
            "calls": [_json(call) for call in found if operation in {None, call.operation}],
            "next": self.forgotten + max(begin, end),
            "forgotten": self.forgotten,
        }

    def counts(self) -> Json:
        """Count the stored calls by operation and by status."""
        return {
            "operations": Counter(call.operation for call in self._calls),
            "statuses": Counter(str(call.status) for call in self._calls),
            "calls": self.count,
            "forgotten": self.forgotten,
        }


def _json(call: LoggedCall) -> Json:
    return {**call._asdict(), "time": iso_ms(call.at_ms)}
