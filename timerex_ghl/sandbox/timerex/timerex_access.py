"""Access to TimeRex's REST API: who calls, with which rights, and how often.

Source: TimeRex developer portal, Authorization with API Key, Authorization with OAuth, and the
limits of each operation. Access tokens live an hour; a refresh token works once, without a repeat.
"""

import secrets
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.clock import MachineClock

WindowName = Literal["minute", "hour", "day"]

TIMEREX_SCOPES = frozenset(
    {
        "profile",
        "email",
        "User.Teams.Read",
        "User.Teams.Calendars.Read",
        "User.Teams.Calendars.ReadWrite",
    }
)


class TimerexAccess(NamedTuple):
    """What credentials allow.

    Attributes:
        owner: Owner of the rate limits that calls use.
        team_ids: Visible teams.
        scopes: None for an API key, which has no scopes and may not ask for the user.
        token: The OAuth access token; empty where there is none.
    """

    owner: str
    team_ids: frozenset[str]
    scopes: frozenset[str] | None
    token: str = ""


class TimerexPair(NamedTuple):
    """An access token and the refresh token issued with it."""

    access: str
    refresh: str


@dataclass
class TimerexTokens:
    """Every OAuth token the sandbox knows, and what it accepts for the exchange."""

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    redirect_uri: str = "https://timerex-ghl.example/callback"
    expires_in_s: int = 3600
    clock: MachineClock = field(default_factory=MachineClock)
    accesses: dict[str, tuple[frozenset[str], float]] = field(
        default_factory=dict[str, tuple[frozenset[str], float]]
    )
    refreshes: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    codes: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def mint_pair(self, scopes: frozenset[str] = TIMEREX_SCOPES) -> TimerexPair:
        """Make an access token and its refresh token."""
        pair = TimerexPair(f"ta-{secrets.token_urlsafe(40)}", f"tr-{secrets.token_urlsafe(40)}")
        self.accesses[pair.access] = (scopes, self.clock.now() + self.expires_in_s)
        self.refreshes[pair.refresh] = scopes
        return pair

    def mint_code(self, scopes: frozenset[str]) -> str:
        """Make a code, as after the user's consent."""
        code = secrets.token_hex(26)
        self.codes[code] = scopes
        return code

    def use_code(self, code: str) -> TimerexPair | None:
        """Exchange a code, once."""
        scopes = self.codes.pop(code, None)
        return None if scopes is None else self.mint_pair(scopes)

    def use_refresh(self, token: str) -> TimerexPair | None:
        """Exchange a refresh token, once."""
        scopes = self.refreshes.pop(token, None)
        return None if scopes is None else self.mint_pair(scopes)

    def scopes_of(self, access: str) -> frozenset[str] | None:
        """Return the scopes of an access token; None if it is unknown or expired."""
        scopes, ends_at = self.accesses.get(access, (None, 0.0))
        return scopes if ends_at > self.clock.now() else None


@dataclass
class TimerexLimits:
    """The limits of a user, and their use; the control API can change them."""

    minute: int = 60
    hour: int = 100
    day: int = 1000
    minute_ms: int = 60_000
    enabled: bool = True
    clock: MachineClock = field(default_factory=MachineClock)
    calls: dict[tuple[str, str], deque[float]] = field(
        default_factory=dict[tuple[str, str], deque[float]]
    )

    def take(self, owner: str, windows: tuple[WindowName, ...]) -> None:
        """Count one call in each window, or refuse it. A refused call does not count."""
        counted = [self._current(owner, window) for window in windows]
        full = any(
            len(calls) >= getattr(self, window)
            for window, calls in zip(windows, counted, strict=True)
        )
        if self.enabled and full:
            raise RefusalError(429, "Too Many Attempts.")
        for calls in counted:
            calls.append(self.clock.now())

    def _current(self, owner: str, window: WindowName) -> deque[float]:
        length_s = {"minute": self.minute_ms / 1000, "hour": 3600.0, "day": 86_400.0}[window]
        calls = self.calls.setdefault((owner, window), deque())
        while calls and calls[0] <= self.clock.now() - length_s:
            calls.popleft()
        return calls
