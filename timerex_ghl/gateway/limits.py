"""Request limits of the gateway, per sender and in all. Counted before any crypto.

Counted in memory: they protect this process only. A refused sender (429) sends again, so nothing is
lost.
"""

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_SAY_EVERY_S = 10.0

_log = logging.getLogger(__name__)


class Rate(NamedTuple):
    """A token bucket: `burst` at once, then `per_s` a second."""

    burst: float
    per_s: float


class GatewayLimits(NamedTuple):
    """The limits; generous, because a service sends all deliveries from few addresses.

    Attributes:
        requests: Requests of one source.
        failures: Wrong signatures, tokens and endpoints of one source.
        in_hand_each: Unanswered requests of one source.
        in_hand: Unanswered requests of all sources.
        sources: Number of sources in memory; the least recently used is dropped first.
        connections: Open sockets of all sources.
        head_deadline_s: Time for a request's line and headers to arrive.
        body_deadline_s: Time for a body to arrive (408).
        ledger_deadline_s: How long a delivery waits for the ledger (429). TimeRex waits 15 s for
            the answer, of which the body may take up to `body_deadline_s`.
        api_ledger_deadline_s: How long a request to the API waits for the ledger (503). With both
            processors of a machine busy and a PostgreSQL checkpoint forced three times a second,
            the slowest of 1,400 writes took 0.3 s. A request that waits much longer takes one of
            `in_hand` from others.
        published_kept_s: Longest age of the list of published connections.
    """

    requests: Rate = Rate(2000, 1000)
    failures: Rate = Rate(200, 20)
    in_hand_each: int = 250
    in_hand: int = 1000
    sources: int = 10_000
    connections: int = 4000
    head_deadline_s: float = 10.0
    body_deadline_s: float = 8.0
    ledger_deadline_s: float = 5.0
    api_ledger_deadline_s: float = 5.0
    published_kept_s: float = 2.0


DEFAULT_LIMITS = GatewayLimits()


class _Bucket:
    """The remaining tokens of a rate."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._at = now

    def has_one(self, now: float) -> bool:
        burst, per_s = self._rate
        self._tokens = min(burst, self._tokens + (now - self._at) * per_s)
        self._at = now
        return self._tokens >= 1

    def take(self) -> None:
        self._tokens -= 1


class Sender:
    """One sender: an IPv4 address or an IPv6 network."""

    def __init__(self, limits: GatewayLimits, now: float) -> None:
        self.requests = _Bucket(limits.requests, now)
        self.failures = _Bucket(limits.failures, now)
        self.in_hand = 0


class SourceLimiter:
    """Admits or refuses requests by source.

    Attributes:
        sources: The senders in memory, least recently used first.
    """

    def __init__(self, limits: GatewayLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self.sources: OrderedDict[str, Sender] = OrderedDict()
        self._in_hand = 0
        self._refused = 0
        self._say_at = 0.0

    def enter(self, address: str) -> Sender | None:
        """Admit a request, or return None to refuse it. An admitted one must `leave`."""
        now = self._clock()
        source = self._source_of(address, now)
        if not (
            self._in_hand < self._limits.in_hand
            and source.in_hand < self._limits.in_hand_each
            and source.failures.has_one(now)
            and source.requests.has_one(now)
        ):
            self._refuse(now)
            return None
        source.requests.take()
        source.in_hand += 1
        self._in_hand += 1
        return source

    def leave(self, source: Sender, *, failed: bool) -> None:
        """Record that a request was answered, and whether it failed."""
        source.in_hand -= 1
        self._in_hand -= 1
        if failed:
            source.failures.take()

    def _source_of(self, address: str, now: float) -> Sender:
        key = _network_of(address)
        source = self.sources.get(key)
        if source is None:
            source = self.sources[key] = Sender(self._limits, now)
            self._forget_one()
        else:
            self.sources.move_to_end(key)
        return source

    def _forget_one(self) -> None:
        """Drop the least recently used senders. One with an unanswered request is kept."""
        while len(self.sources) > self._limits.sources:
            key, oldest = next(iter(self.sources.items()))
            if oldest.in_hand:
                self.sources.move_to_end(key)
            else:
                del self.sources[key]

    def _refuse(self, now: float) -> None:
        """Log refusals at most every `_SAY_EVERY_S`: one line each would flood the log."""
        self._refused += 1
        if now >= self._say_at:
            _log.warning("refused with 429: %d since the last such line", self._refused)
            self._refused, self._say_at = 0, now + _SAY_EVERY_S


def _network_of(address: str) -> str:
    """Return the source of an address: one IPv6 customer's network (/64) is one source."""
    if ":" not in address:
        return address[:64]
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address[:64]
