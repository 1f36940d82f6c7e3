"""Simulate a process that is killed at a failpoint inside one that lives on."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


class KilledError(BaseException):
    """Stands in for SIGKILL: nothing catches it."""


@dataclass
class Failpoints:
    """The failpoints of a world: none kills unless it is armed."""

    _armed: tuple[str, str] | None = None
    _remaining: int = 0

    def reach(self, action: str, moment: str) -> None:
        """Stand in for `failpoint` in the product."""
        if (action, moment) == self._armed:
            self._remaining -= 1
            if self._remaining <= 0:
                raise KilledError

    @contextmanager
    def armed(self, action: str, moment: str, nth: int) -> Generator[None]:
        """Raise `KilledError` at a failpoint, from the nth time on."""
        self._armed, self._remaining = (action, moment), nth
        try:
            yield
        finally:
            self._armed = None
