"""A clock that tests can set."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class SettableClock:
    """A clock that a test sets. It runs with the real one, until stopped."""

    _ahead: timedelta = timedelta()
    _stopped_at: datetime | None = None

    def now(self) -> datetime:
        return (self._stopped_at or datetime.now(UTC)) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Set the clock forward, or back by a negative time."""
        self._ahead += by

    def stop(self) -> None:
        """Stop the clock, so that only `advance` moves it."""
        self._stopped_at = datetime.now(UTC)
