"""GoHighLevel (GHL): how to reach it, and with which credentials."""

import re
from typing import ClassVar, Literal

from httpx import AsyncClient
from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from blocks.secret import filled, plain
from timerex_ghl.adapters.ghl.access.auth import GhlAuth, PrivateToken
from timerex_ghl.adapters.ghl.access.oauth import OAuthTokens
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter, Unlimited
from timerex_ghl.adapters.ghl.webhooks.signatures import GHL_OLDER_WEBHOOK_KEY
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.connections.settings import GHL_WEBHOOK_KEY, GhlSettings

RECOMMENDED_SCOPES = (
    "contacts.readonly contacts.write locations.readonly locations/customFields.readonly"
)


class GHLCredentials(Block):
    """Credentials of one GHL location: a private integration token, or an OAuth app's installation.

    Example:
        Load the stored credentials:
        ```python
        from blocks import GHLCredentials

        credentials = GHLCredentials.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "GHL Credentials"
    _block_type_slug = "ghl-credentials"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl(
        "https://marketplace.gohighlevel.com/docs/"
    )

    private_token: SecretStr = Field(
        default=SecretStr(""),
        title="Private integration token",
        description="Made in GHL under Settings, Private Integrations; begins with pit-. "
        "Leave empty when you enter an OAuth app.",
    )
    scopes: str = Field(
        default=RECOMMENDED_SCOPES,
        description="What the private integration token may do, separated by blanks, as ticked in "
        "GHL. An OAuth app reports its own scopes.",
        examples=[RECOMMENDED_SCOPES, "contacts.readonly locations.readonly"],
    )
    client_id: str = Field(
        default="",
        title="OAuth client id",
        description="Of your GHL marketplace app. Leave empty when you enter a private token.",
        examples=["66f0c0ffee0123456789abcd-m0abcdef"],
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth client secret",
        description="Of your GHL marketplace app.",
    )
    refresh_token: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth refresh token",
        description="Used once; then the ledger stores the tokens that replace it. Enter a new one "
        "only after installing the app again.",
    )
    base_url: str = Field(
        default="https://services.leadconnectorhq.com",
        title="API address",
        description="Base URL of the GHL API. Change it only for tests against the sandbox.",
        examples=["https://services.leadconnectorhq.com"],
    )
    token_url: str = Field(
        default="https://services.leadconnectorhq.com/oauth/token",
        title="Token address",
        description="Where OAuth tokens are refreshed.",
        examples=["https://services.leadconnectorhq.com/oauth/token"],
    )
    app_url: str = Field(
        default="https://app.gohighlevel.com",
        title="App address",
        description="Where people open GHL; links to contacts start with it. White-label agencies "
        "enter their own.",
        examples=["https://app.gohighlevel.com"],
    )
    webhook_public_keys: str = Field(
        default=GHL_WEBHOOK_KEY,
        title="Webhook public keys",
        description="What GHL signs its webhooks with: Ed25519 public keys as its webhook guide "
        "prints them, separated by blanks. Enter a second one while GHL changes its key.",
        examples=[GHL_WEBHOOK_KEY],
    )
    older_signature: bool = Field(
        default=False,
        title="Accept the older signature",
        description="Accept webhooks that have only the RSA signature GHL retired in 2026. Leave "
        "it off.",
    )

    @property
    def saved_as(self) -> str | None:
        """Name the block was saved under; None where it is only part of another block."""
        return self._block_document_name

    def ways(self) -> set[Literal["private-token", "oauth"]]:
        """Return which kinds of credentials are filled in, fully or partly."""
        found: set[Literal["private-token", "oauth"]] = set()
        if filled(self.private_token):
            found.add("private-token")
        if filled(self.client_id) or filled(self.client_secret) or filled(self.refresh_token):
            found.add("oauth")
        return found

    def webhook_keys(self) -> tuple[str, ...]:
        """Return the keys one by one, without the PEM header and footer."""
        return tuple(re.sub(r"-----[A-Z ]+-----", " ", self.webhook_public_keys).split())

    def older_webhook_keys(self) -> tuple[str, ...]:
        """Return the key of the older signature; empty where it is not accepted."""
        return (GHL_OLDER_WEBHOOK_KEY,) if self.older_signature else ()

    def app_id(self) -> str | None:
        """Return the OAuth app's id: the client id up to the dash. None for a private token."""
        return self.client_id.strip().partition("-")[0] or None

    def open_client(self, settings: GhlSettings, ledger: Ledger, http: AsyncClient) -> GhlClient:
        """Return a client for the published location, at the published base URL."""
        rate_limiter = (
            Unlimited()
            if settings.calls_per_10_s is None
            else LedgerRateLimiter(
                ledger, settings.location_id, CallLimits(settings.calls_per_10_s)
            )
        )
        return GhlClient(
            http,
            self.open_auth(settings, ledger, http),
            rate_limiter,
            base_url=settings.base_url,
            location_id=settings.location_id,
        )

    def open_auth(self, settings: GhlSettings, ledger: Ledger, http: AsyncClient) -> GhlAuth:
        """Return the source of access tokens."""
        if settings.auth == "private-token":
            return PrivateToken(plain(self.private_token), settings.scopes)
        return OAuthTokens(
            ledger,
            http,
            token_url=settings.token_url,
            client_id=self.client_id.strip(),
            client_secret=plain(self.client_secret),
            seed=plain(self.refresh_token),
            location_id=settings.location_id,
        )
