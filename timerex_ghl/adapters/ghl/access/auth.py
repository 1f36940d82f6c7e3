"""Sources of access tokens."""

from typing import Protocol

from timerex_ghl.domain.shared.errors import CredentialsError


class GhlAuth(Protocol):
    """Credentials of one location."""

    async def token(self, rejected: str | None = None) -> str:
        """Return an access token other than `rejected`, which GHL just refused.

        Raises:
            CredentialsError: There is no other token.
        """
        ...

    def scopes(self) -> frozenset[str]:
        """Return the token's scopes; empty while they are not known."""
        ...

    async def check_install(self) -> None:
        """Check that the app is still installed.

        Raises:
            CredentialsError: It is not.
        """
        ...


class PrivateToken:
    """A private integration token: static, with the scopes entered in the block."""

    def __init__(self, token: str, scopes: frozenset[str]) -> None:
        self._token = token
        self._scopes = scopes

    async def token(self, rejected: str | None = None) -> str:
        """Return the token; raise when it is the rejected one."""
        if rejected is not None:
            raise CredentialsError(
                "GHL does not accept the private integration token: create a new one, enter it in"
                " the GHL Credentials block and publish the connection again"
            )
        return self._token

    def scopes(self) -> frozenset[str]:
        """Return the scopes entered in the block."""
        return self._scopes

    async def check_install(self) -> None:
        """Do nothing: this token needs no installed app."""
