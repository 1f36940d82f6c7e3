"""Credentials for TimeRex's API: an API key, or an OAuth app's token.

Source: docs/vendors/timerex.md#rest-api-beta.
"""

import hashlib
from typing import Protocol

from pydantic import SecretStr

from timerex_ghl.adapters.ghl.access.oauth import OAuthTokens
from timerex_ghl.domain.shared.errors import CredentialsError


class TimerexAuth(Protocol):
    """Credentials of one team, or of one user."""

    @property
    def owner(self) -> str:
        """Return the owner of the call budget, without revealing the secret."""
        ...

    @property
    def has_scopes(self) -> bool:
        """Return whether a scope may be missing. A key has all scopes, for one team."""
        ...

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Return name and value of the header; the value differs from `rejected`.

        Raises:
            CredentialsError: There is no other value.
        """
        ...


class ApiKey:
    """A team's API key: static, for this team only."""

    has_scopes = False

    def __init__(self, key: str) -> None:
        self._key = SecretStr(key)
        self.owner = f"key-{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Return the header; raise when the key is rejected."""
        if rejected is not None:
            raise CredentialsError(
                "TimeRex does not accept the API key: create a new one under Team Settings,"
                " Developer tools, enter it in the TimeRex Credentials block and publish the"
                " connection again"
            )
        return "x-api-key", self._key


class OAuthApp:
    """An OAuth app's tokens, stored and refreshed in the ledger like GHL's.

    They live an hour. A refresh token works once, and TimeRex does not repeat its answer.
    """

    has_scopes = True

    def __init__(self, tokens: OAuthTokens, owner: str) -> None:
        self._tokens = tokens
        self.owner = owner

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Return the header with a token that is not about to expire."""
        refused = rejected.get_secret_value().removeprefix("Bearer ") if rejected else None
        try:
            token = await self._tokens.token(refused)
        except CredentialsError:
            raise CredentialsError(
                "TimeRex does not accept the OAuth client or its refresh token: connect again,"
                " enter client id, client secret and the new refresh token in the TimeRex"
                " Credentials block and publish the connection again"
            ) from None
        return "Authorization", SecretStr(f"Bearer {token}")
