"""An outage of a service: since when it does not answer, and when it is tried again."""

from datetime import timedelta

from pydantic import AwareDatetime

from timerex_ghl.domain.shared.errors import Service
from timerex_ghl.domain.shared.models import ConnectionName, Record

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
"""How soon the end of an outage is noticed, however long it lasted."""

PATIENCE = timedelta(days=3)
"""How long an event is retried after failures of the service itself, though the service answers
other calls: some of its operations may be down. Sooner than that none is given up."""


class Outage(Record):
    """A service that does not answer the calls of a connection.

    Attributes:
        since: When that was first noticed.
        reason: The first failure, in our own words.
        tries: How often it was tried since.
        next_try_at: When it is tried again.
    """

    connection: ConnectionName
    service: Service
    since: AwareDatetime
    reason: str
    tries: int
    next_try_at: AwareDatetime

    def in_words(self) -> str:
        """Return which service does not answer, and since when."""
        return f"{self.service} has not answered since {self.since:%Y-%m-%d %H:%M} UTC"


def pause_after_tries(tries: int) -> timedelta:
    """Return how long to wait before the next try."""
    return min(FIRST_PAUSE * 2 ** min(tries, 10), LONGEST_PAUSE)
