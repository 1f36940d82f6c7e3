"""Who works in a location: hosts and assignees are matched by e-mail."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from timerex_ghl.sync.errors import ScopeError
from timerex_ghl.sync.ghl_models import GhlUserId

if TYPE_CHECKING:
    from timerex_ghl.carry.sides import Sides

LASTS = timedelta(minutes=10)
"""How long a list of users is taken for true."""


class UserBook:
    """The users of one location, as they were last read. A comfort: nothing is lost with it."""

    def __init__(self) -> None:
        self._emails: dict[GhlUserId, str] = {}
        self._read_at: datetime | None = None

    async def emails(self, sides: "Sides", now: datetime) -> Mapping[GhlUserId, str]:
        """Give the users' e-mails, lower-case. Without the right to read users there are none."""
        if self._read_at is None or now - self._read_at >= LASTS:
            try:
                users = await sides.ghl.list_users()
            except ScopeError:
                users = []
            self._emails = {user.id: user.email for user in users if user.email}
            self._read_at = now
        return self._emails
