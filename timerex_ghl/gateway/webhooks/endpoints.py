"""Looking up connections by webhook endpoint or location."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Iterable

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.models import LocationId
from timerex_ghl.gateway.limits import GatewayLimits

_LEAST_KEPT_S = 0.1


class PublishedRoutes:
    """The published connections at one moment."""

    def __init__(self, connections: Iterable[ConnectionSettings]) -> None:
        self.by_endpoint: dict[str, ConnectionSettings] = {}
        self.by_location: dict[LocationId, list[ConnectionSettings]] = defaultdict(list)
        keys: dict[str, None] = {}
        older_keys: dict[str, None] = {}
        for connection in connections:
            self.by_endpoint[connection.timerex.endpoint] = connection
            self.by_location[connection.ghl.location_id].append(connection)
            keys |= dict.fromkeys(connection.ghl.webhook_keys)
            older_keys |= dict.fromkeys(connection.ghl.older_webhook_keys)
        self._keys, self._older_keys = tuple(keys), tuple(older_keys)

    def keys(self, *, older: bool) -> tuple[str, ...]:
        """Return the keys of all connections that may sign GHL deliveries."""
        return self._older_keys if older else self._keys


class Endpoints:
    """Every published connection, read again after `published_kept_s`.

    All are read at once, so guessing endpoints costs the ledger nothing.
    """

    def __init__(self, ledger: Ledger, limits: GatewayLimits) -> None:
        self._ledger = ledger
        self._kept_s = limits.published_kept_s
        self._known = PublishedRoutes(())
        self._read_at = -math.inf
        self._reading = asyncio.Lock()

    async def known(self) -> PublishedRoutes:
        """Return the published connections."""
        return await self._read(self._kept_s)

    async def find(self, endpoint: str) -> ConnectionSettings | None:
        """Find the connection of an endpoint; None where it is not published."""
        return (await self.known()).by_endpoint.get(endpoint)

    async def find_location(self, location: LocationId | None) -> list[ConnectionSettings]:
        """Find the connections of a location.

        A connection published just now is found: unknown locations are looked up at once, at most
        ten times a second.
        """
        if location is None:
            return []
        found = (await self.known()).by_location.get(location)
        return found or (await self._read(_LEAST_KEPT_S)).by_location.get(location, [])

    async def _read(self, kept_s: float) -> PublishedRoutes:
        """Return the connections, read again if older than `kept_s`, once for all callers."""
        if time.monotonic() - self._read_at < kept_s:
            return self._known
        async with self._reading:
            if time.monotonic() - self._read_at >= kept_s:
                connections = await self._ledger.read(published.all_published)
                self._known = PublishedRoutes(one.settings for one in connections)
                self._read_at = time.monotonic()
        return self._known
