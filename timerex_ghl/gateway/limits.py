"""How much the doors take: from one sender, and from all of them. Counted before any crypto.

Kept in memory: it protects this process, and ends with it. A sender that is turned away (429) comes
again, so being turned away loses nothing.
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
    """So many at once, and so many a second from then on."""

    burst: float
    per_s: float


class GatewayLimits(NamedTuple):
    """The limits; generous, as a service sends all its deliveries from few addresses.

    Attributes:
        requests: Of one source.
        failures: Of one source: signatures, tokens and doors that are wrong.
        in_hand_each: Deliveries of one source that are not answered yet.
        in_hand: The same of all sources.
        sources: How many sources are remembered; the one not seen longest is forgotten first.
        connections: Open sockets of all sources.
        head_deadline_s: How long a request's line and headers may take to arrive.
        body_deadline_s: How long a body may take to arrive, in all (408).
        ledger_deadline_s: How long a delivery waits for the ledger (429). TimeRex waits 15 s for
            the answer, and up to `body_deadline_s` of them pass before the delivery is stored.
        api_ledger_deadline_s: How long a request to the API waits for the ledger (503). With both
            processors of a machine busy and a PostgreSQL checkpoint forced three times a second,
            the slowest of 1,400 writes took 0.3 s; whoever waits much longer keeps a place of
            `in_hand` from others.
        published_kept_s: How old the list of published connections may be.
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
    """What is left of a rate."""

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
    """One sender: an address, or a network of IPv6."""

    def __init__(self, limits: GatewayLimits, now: float) -> None:
        self.requests = _Bucket(limits.requests, now)
        self.failures = _Bucket(limits.failures, now)
        self.in_hand = 0


class SourceLimiter:
    """Lets deliveries in, or turns them away.

    Attributes:
        sources: The senders that are remembered, the one not seen longest first.
    """

    def __init__(self, limits: GatewayLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self.sources: OrderedDict[str, Sender] = OrderedDict()
        self._in_hand = 0
        self._refused = 0
        self._say_at = 0.0

    def enter(self, address: str) -> Sender | None:
        """Let a delivery in; None turns it away. Whoever came in has to `leave`."""
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
        """Count one less in hand, and a failure where it was one."""
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
        """Keep the memory bounded. One with a delivery in hand is in use, and comes last."""
        while len(self.sources) > self._limits.sources:
            key, oldest = next(iter(self.sources.items()))
            if oldest.in_hand:
                self.sources.move_to_end(key)
            else:
                del self.sources[key]

    def _refuse(self, now: float) -> None:
        """Say it once in a while: a line each would be a flood of its own."""
        self._refused += 1
        if now >= self._say_at:
            _log.warning("turned away with 429: %d since the last such line", self._refused)
            self._refused, self._say_at = 0, now + _SAY_EVERY_S


def _network_of(address: str) -> str:
    """Count the addresses of one IPv6 customer (/64) as one source."""
    if ":" not in address:
        return address[:64]
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address[:64]
