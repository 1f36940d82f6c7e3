"""What makes access tokens."""

from typing import Protocol

from timerex_ghl.domain.errors import CredentialsError


class GhlAuth(Protocol):
    """Credentials of one location."""

    async def token(self, rejected: str | None = None) -> str:
        """Hand out an access token; another one than `rejected`, which GHL just refused.

        Raises:
            CredentialsError: There is no other.
        """
        ...

    def scopes(self) -> frozenset[str]:
        """Tell what the token may do; nothing while that is not known."""
        ...

    async def check_install(self) -> None:
        """Ask whether the app is still installed.

        Raises:
            CredentialsError: It is not.
        """
        ...


class PrivateToken:
    """A private integration token: static, its rights as entered in the block."""

    def __init__(self, token: str, scopes: frozenset[str]) -> None:
        self._token = token
        self._scopes = scopes

    async def token(self, rejected: str | None = None) -> str:
        """Hand out the one token."""
        if rejected is not None:
            raise CredentialsError(
                "GHL does not accept the private integration token: make a new one, enter it in"
                " the GHL Credentials block and publish the connection again"
            )
        return self._token

    def scopes(self) -> frozenset[str]:
        """Tell what was ticked when the token was made."""
        return self._scopes

    async def check_install(self) -> None:
        """Do nothing: no app has to be installed for this token."""
