"""A location's users by e-mail, to find TimeRex hosts and task assignees among them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.operations import LIST_USERS
from timerex_ghl.domain.shared.errors import ScopeError, SettingsError, SkippableError
from timerex_ghl.domain.shared.ghl_models import GhlUserId

FRESH_S = 600.0
"""How long a list of users is cached."""


@dataclass
class UserBook:
    """A location's users, read when needed, every ten minutes at most.

    Attributes:
        clock: Returns seconds from any start; never set back, unlike the time of day.
    """

    clock: Callable[[], float] = time.monotonic
    _emails: Mapping[GhlUserId, str] = field(default_factory=dict[GhlUserId, str])
    _good_until: float = 0.0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def emails(self, ghl: GhlClient) -> Mapping[GhlUserId, str]:
        """Return the users' e-mails, lower case; none where GHL does not show them to us."""
        async with self._reading:
            if self.clock() >= self._good_until:
                self._emails = await _read(ghl)
                self._good_until = self.clock() + FRESH_S
        return self._emails

    async def ids(self, ghl: GhlClient) -> dict[str, GhlUserId]:
        """Return the users by e-mail; of two with the same one the first."""
        known = await self.emails(ghl)
        return {email: user_id for user_id, email in reversed([*known.items()]) if email}


async def _read(ghl: GhlClient) -> dict[GhlUserId, str]:
    if ghl.refusal_of(LIST_USERS.name) is not None:
        return {}
    try:
        return {user.id: user.email for user in await ghl.list_users()}
    except (ScopeError, SettingsError, SkippableError):
        return {}
