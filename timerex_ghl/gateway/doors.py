"""Which connection stands behind a door."""

import time

from timerex_ghl.adapters.ledger import published
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.sync.settings import ConnectionSettings

_KEPT_S = 2.0


class Doors:
    """Every published door, read again after two seconds.

    All of them are read at once: guessing at doors then costs the ledger nothing.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_door: dict[str, ConnectionSettings] = {}
        self._read_at = -_KEPT_S

    async def find(self, door: str) -> ConnectionSettings | None:
        """Find the connection of a door; None where nobody published it."""
        if time.monotonic() - self._read_at >= _KEPT_S:
            connections = await self._ledger.read(published.all_published)
            self._by_door = {one.settings.timerex.door: one.settings for one in connections}
            self._read_at = time.monotonic()
        return self._by_door.get(door)
