"""TimeRex: the token that authenticates its webhooks, and the credentials of its REST API."""

from hashlib import sha256
from typing import ClassVar, Literal

from httpx import AsyncClient
from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from blocks.secret import filled, plain
from timerex_ghl.adapters.ghl.access.oauth import OAuthTokens
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.timerex.auth import ApiKey, OAuthApp, TimerexAuth
from timerex_ghl.adapters.timerex.client import TimerexClient, every_calendar
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.domain.connections.settings import TimerexSettings
from timerex_ghl.domain.shared.models import LocationId


class TimeRexCredentials(Block):
    """Credentials of one TimeRex team.

    Example:
        Load the stored credentials:
        ```python
        from blocks import TimeRexCredentials

        credentials = TimeRexCredentials.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "TimeRex Credentials"
    _block_type_slug = "timerex-credentials"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://developers.timerex.net/")

    webhook_token: SecretStr = Field(
        default=SecretStr(""),
        description="The token TimeRex shows under Team Settings, Integrations, Webhook. "
        "At least 32 characters.",
    )
    previous_webhook_token: SecretStr = Field(
        default=SecretStr(""),
        description="The token before a rotation. Accepted along with the new one until you empty "
        "this field and publish again.",
    )
    webhook_header: str = Field(
        default="x-timerex-authorization",
        description="Name of the header that contains the token, as shown in TimeRex.",
        examples=["x-timerex-authorization", "authorization"],
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        title="API key",
        description="Made in TimeRex under Team Settings, Developer tools; 64 characters. "
        "Optional: with it, each webhook is verified over the API before it is applied.",
    )
    client_id: str = Field(
        default="",
        title="OAuth client id",
        description="Of your TimeRex OAuth app. Leave empty when you enter an API key, or neither.",
        examples=["93d983d6-1031-404a-ba3e-0f07a95bf73a"],
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth client secret",
        description="Of your TimeRex OAuth app.",
    )
    refresh_token: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth refresh token",
        description="Used once; then the ledger stores the tokens that replace it. Enter a new one "
        "only after connecting again.",
    )
    base_url: str = Field(
        default="https://timerex.net/api/beta",
        title="API address",
        description="Base URL of TimeRex's REST API. Change it only for tests against the sandbox.",
        examples=["https://timerex.net/api/beta"],
    )
    token_url: str = Field(
        default="https://timerex.net/oauth/token",
        title="Token address",
        description="Where OAuth tokens are refreshed.",
        examples=["https://timerex.net/oauth/token"],
    )

    @property
    def saved_as(self) -> str | None:
        """Name the block was saved under; None where it is only part of another block."""
        return self._block_document_name

    def token_digests(self) -> tuple[str, ...]:
        """Return SHA-256 digests (hex) of the valid webhook tokens: all the gateway may know."""
        tokens = (plain(self.webhook_token), plain(self.previous_webhook_token))
        return tuple(sha256(token.encode()).hexdigest() for token in tokens if token)

    def ways(self) -> set[Literal["api-key", "oauth"]]:
        """Return which kinds of credentials are filled in, fully or partly."""
        found: set[Literal["api-key", "oauth"]] = set()
        if filled(self.api_key):
            found.add("api-key")
        if filled(self.client_id) or filled(self.client_secret) or filled(self.refresh_token):
            found.add("oauth")
        return found

    def open_client(
        self, settings: TimerexSettings, ledger: Ledger, http: AsyncClient
    ) -> TimerexClient:
        """Return a client for the published base URL."""
        auth = self.open_auth(settings, ledger, http)
        rate_limiter = TimerexRateLimiter(ledger, auth.owner) if settings.rate_limited else None
        return TimerexClient(http, auth, rate_limiter, base_url=settings.base_url)

    def open_auth(
        self, settings: TimerexSettings, ledger: Ledger, http: AsyncClient
    ) -> TimerexAuth:
        """Return the credentials of requests: an API key or an OAuth app."""
        if settings.auth == "api-key":
            return ApiKey(plain(self.api_key))
        owner = f"timerex:{settings.credentials}"
        tokens = OAuthTokens(
            ledger,
            http,
            token_url=settings.token_url,
            client_id=self.client_id.strip(),
            client_secret=plain(self.client_secret),
            seed=plain(self.refresh_token),
            location_id=LocationId(owner),  # a key in the ledger; TimeRex has no locations
        )
        return OAuthApp(tokens, owner)

    async def count_calendars(
        self, settings: TimerexSettings, ledger: Ledger, http: AsyncClient
    ) -> int | None:
        """Check the credentials by counting calendars; None where there are none.

        Raises:
            CredentialsError: TimeRex does not accept them.
        """
        if settings.auth == "none":
            return None
        client = self.open_client(settings, ledger, http)
        return len([calendar.id async for calendar in every_calendar(client)])
