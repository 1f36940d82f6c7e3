"""The log of calls, for checkers: the keys of a body, none of its values."""

from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from timerex_ghl.sandbox.wire import Json, iso_ms

KEPT = 200_000


class LoggedCall(NamedTuple):
    """One call.

    Attributes:
        fault: The kind of the fault that struck it.
        status: What the service answered, whatever a fault then made of it; 0 where it was never
            asked.
        took_ms: From its first byte until the answer was ready, waiting included.
        cpu_ms: What of that the service worked.
        keys: Those of the body, where it was read.
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
    """The calls since the last `clear`, the newest of them if there were very many."""

    def __init__(self, kept: int = KEPT) -> None:
        self.count = 0
        self._calls: deque[LoggedCall] = deque(maxlen=kept)

    @property
    def forgotten(self) -> int:
        """Say how many of the oldest are not kept any more."""
        return self.count - len(self._calls)

    def add(self, call: LoggedCall) -> None:
        """Note a call."""
        self.count += 1
        self._calls.append(call)

    def clear(self) -> None:
        """Forget all; the next call is number 0 again."""
        self.count = 0
        self._calls.clear()

    def page(self, since: int, limit: int, operation: str | None) -> Json:
        """Give the calls from number `since` on, and the number to go on with."""
        begin = max(0, since - self.forgotten)
        end = min(len(self._calls), begin + limit)
        found = islice(self._calls, begin, end)
        return {
            "calls": [_json(call) for call in found if operation in {None, call.operation}],
            "next": self.forgotten + max(begin, end),
            "forgotten": self.forgotten,
        }

    def counts(self) -> Json:
        """Count the calls that are kept by operation and by status."""
        return {
            "operations": Counter(call.operation for call in self._calls),
            "statuses": Counter(str(call.status) for call in self._calls),
            "calls": self.count,
            "forgotten": self.forgotten,
        }


def _json(call: LoggedCall) -> Json:
    return {**call._asdict(), "time": iso_ms(call.at_ms)}
