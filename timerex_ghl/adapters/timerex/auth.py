"""What proves to TimeRex who calls: an API key, or an OAuth app's token.

Source: TimeRex developer portal, Authorization with API Key, Authorization with OAuth.
"""

import hashlib
from typing import Protocol

from pydantic import SecretStr

from timerex_ghl.adapters.ghl.oauth import OAuthTokens
from timerex_ghl.domain.errors import CredentialsError


class TimerexAuth(Protocol):
    """Credentials of one team, or of one user."""

    @property
    def owner(self) -> str:
        """Name whose limits the calls use, without a hint at the secret."""
        ...

    @property
    def has_scopes(self) -> bool:
        """Tell whether a right may be lacking. A key has them all, for one team."""
        ...

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Hand out a header; with another value than the one TimeRex just refused.

        Raises:
            CredentialsError: There is no other.
        """
        ...


class ApiKey:
    """A team's key: static, for its own team only."""

    has_scopes = False

    def __init__(self, key: str) -> None:
        self._key = SecretStr(key)
        self.owner = f"key-{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Hand out the one header."""
        if rejected is not None:
            raise CredentialsError(
                "TimeRex does not accept the API key: make a new one under Team Settings,"
                " Developer tools, enter it in the TimeRex Credentials block and publish the"
                " connection again"
            )
        return "x-api-key", self._key


class OAuthApp:
    """An OAuth app's tokens, kept and renewed in the ledger as GHL's are.

    TimeRex's live an hour, and a refresh token is good for one use, without a repeat.
    """

    has_scopes = True

    def __init__(self, tokens: OAuthTokens, owner: str) -> None:
        self._tokens = tokens
        self.owner = owner

    async def header(self, rejected: SecretStr | None = None) -> tuple[str, SecretStr]:
        """Hand out a header with a token that is good for a while."""
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
