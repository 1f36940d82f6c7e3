"""Access: private tokens, OAuth installs, and refresh tokens that work once.

Source: the vendor's authorization pages; a spent refresh token repeats its answer for 30 seconds.
"""

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Literal

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.json_io import new_id

Kind = Literal["private", "oauth", "agency"]

ALL_SCOPES = frozenset(
    {
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/customFields.write",
        "locations/customValues.readonly",
        "locations/customValues.write",
        "locations/tags.readonly",
        "locations/tags.write",
        "locations/tasks.readonly",
        "calendars.readonly",
        "calendars/events.readonly",
        "calendars/events.write",
        "users.readonly",
        "businesses.readonly",
        "businesses.write",
        "workflows.readonly",
        "oauth.readonly",
        "oauth.write",
    }
)


@dataclass(frozen=True)
class Install:
    """One app's consent for one location; all its tokens end together."""

    location_id: str
    scopes: frozenset[str]
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class GhlAccess:
    """What a bearer token allows. `app` owns the rate limit it uses."""

    kind: Kind
    app: str
    location_id: str
    scopes: frozenset[str]
    install: Install | None = None
    expires_at: float = float("inf")


@dataclass(frozen=True)
class TokenPair:
    """An access token and the refresh token issued with it."""

    install: Install
    access: str
    refresh: str


@dataclass
class Refresh:
    """A refresh token; once used, with the pair it was exchanged for."""

    install: Install
    spent_at: float = 0
    became: TokenPair | None = None


@dataclass
class SandboxTokens:
    """Every token the sandbox knows, and what it accepts for the exchange."""

    client_id: str = field(default_factory=lambda: f"{secrets.token_hex(12)}-sandbox")
    client_secret: str = field(default_factory=lambda: str(uuid.uuid4()))
    expires_in_s: int = 86_399
    repeat_s: float = 30
    clock: MachineClock = field(default_factory=MachineClock)
    accesses: dict[str, GhlAccess] = field(default_factory=dict[str, GhlAccess])
    refreshes: dict[str, Refresh] = field(default_factory=dict[str, Refresh])
    codes: dict[str, Install] = field(default_factory=dict[str, Install])

    def mint_static(
        self, location_id: str, scopes: frozenset[str] = ALL_SCOPES, kind: Kind = "private"
    ) -> str:
        """Make a token that does not expire: a private integration's or an agency's."""
        token = f"pit-{uuid.uuid4()}"
        self.accesses[token] = GhlAccess(kind, token, location_id, scopes)
        return token

    def mint_pair(self, install: Install) -> TokenPair:
        """Make an access token and its refresh token."""
        pair = TokenPair(install, self.mint_access(install), f"or-{secrets.token_urlsafe(40)}")
        self.refreshes[pair.refresh] = Refresh(install)
        return pair

    def mint_access(self, install: Install) -> str:
        """Make an access token alone, as an agency gets one for a location."""
        token = f"oa-{secrets.token_urlsafe(40)}"
        self.accesses[token] = GhlAccess(
            "oauth",
            self.client_id,
            install.location_id,
            install.scopes,
            install,
            self.clock.now() + self.expires_in_s,
        )
        return token

    def mint_code(self, install: Install) -> str:
        """Make a code, as the vendor's consent page issues it."""
        code = secrets.token_hex(20)
        self.codes[code] = install
        return code

    def use_code(self, code: str) -> TokenPair | None:
        """Exchange a code, once."""
        install = self.codes.pop(code, None)
        return self.mint_pair(install) if install else None

    def use_refresh(self, token: str) -> TokenPair | None:
        """Exchange a refresh token.

        Once; a repeat within 30 seconds gives the same pair, a later one ends the install.
        """
        refresh = self.refreshes.get(token)
        if refresh is None:
            return None
        if refresh.became is None:
            refresh.spent_at, refresh.became = self.clock.now(), self.mint_pair(refresh.install)
        elif self.clock.now() - refresh.spent_at > self.repeat_s:
            self.end(refresh.install)
            return None
        return refresh.became

    def end(self, install: Install) -> None:
        """End all tokens of an install."""
        self.accesses = {
            token: access for token, access in self.accesses.items() if access.install != install
        }
        self.refreshes = {
            token: refresh
            for token, refresh in self.refreshes.items()
            if refresh.install != install
        }

    def expire_access(self) -> None:
        """Expire every OAuth access token; refresh tokens stay valid."""
        self.accesses = {
            token: access for token, access in self.accesses.items() if access.kind != "oauth"
        }

    def find(self, token: str) -> GhlAccess | None:
        """Return what a token allows; None if it is unknown or expired."""
        access = self.accesses.get(token)
        return access if access and access.expires_at > self.clock.now() else None
