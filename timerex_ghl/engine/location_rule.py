"""Whether a location lets two contacts have one phone."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.operations import GET_LOCATION
from timerex_ghl.domain.shared.errors import ScopeError, SettingsError, SkippableError
from timerex_ghl.domain.shared.models import GhlField

PHONE = GhlField("phone")
FRESH_S = 600.0
"""How long the answer is cached."""


@dataclass
class LocationRule:
    """The location's rule on duplicates, read when needed, every ten minutes at most.

    Source: GET /locations/{locationId}, `settings.allowDuplicateContact` and
    `contactUniqueIdentifiers`, docs/vendors/ghl.md#contacts.

    Attributes:
        clock: Returns seconds from any start; never set back, unlike the time of day.
    """

    clock: Callable[[], float] = time.monotonic
    _forbids: bool = False
    _good_until: float = 0.0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def forbids_shared_phone(self, ghl: GhlClient) -> bool:
        """Return whether GHL refuses a second contact with the same phone.

        False, too, where GHL does not show us the location: then a refusal tells.
        """
        async with self._reading:
            if self.clock() >= self._good_until:
                self._forbids = await _read(ghl)
                self._good_until = self.clock() + FRESH_S
        return self._forbids


async def _read(ghl: GhlClient) -> bool:
    if ghl.refusal_of(GET_LOCATION.name) is not None:
        return False
    try:
        location = await ghl.get_location()
    except (ScopeError, SettingsError, SkippableError):
        return False
    return not location.allows_duplicates and PHONE in location.unique_fields
