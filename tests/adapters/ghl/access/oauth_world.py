"""A ledger, a token endpoint, and processes that share both."""

from dataclasses import dataclass

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.adapters.ghl.vendor import SECRET, SEED, Vendor
from timerex_ghl.adapters.ghl.access.oauth import OAuthTokens
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.oauth_tokens import StoredTokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.errors import TimerexGhlError
from timerex_ghl.domain.shared.models import LocationId
from timerex_ghl.sandbox.info import GhlInfo

KEY = SecretKey(Fernet.generate_key().decode())
TOKEN_URL = "https://ghl.example/oauth/token"
NAME = "app:locAoba"


@dataclass
class OAuthWorld:
    """A ledger, a vendor, and an HTTP client."""

    ledger: Ledger
    vendor: Vendor
    http: httpx.AsyncClient

    def process(self, *, seed: str = SEED, secret: str = SECRET) -> OAuthTokens:
        """Return tokens as another process has them: from the block and the ledger."""
        return auth_of(self.ledger, self.http, TOKEN_URL, seed=seed, secret=secret)

    async def stored(self) -> StoredTokens:
        found = await self.ledger.read(oauth_tokens.read_tokens, NAME, KEY)
        assert found is not None
        return found

    async def save(self, **changes: object) -> None:
        now = await self.stored()
        changed = now.model_copy(update=changes)
        saved = await self.ledger.write(
            oauth_tokens.save_tokens, changed, KEY, expected_version=now.version
        )
        assert saved


def auth_of(
    ledger: Ledger, http: httpx.AsyncClient, url: str, *, seed: str = SEED, secret: str = SECRET
) -> OAuthTokens:
    return OAuthTokens(
        ledger,
        http,
        token_url=url,
        client_id="app",
        client_secret=secret,
        seed=seed,
        location_id=LocationId("locAoba"),
    )


def auth_of_sandbox(ledger: Ledger, http: httpx.AsyncClient, ghl: GhlInfo) -> OAuthTokens:
    """Return the tokens of the app installed in the sandbox."""
    return OAuthTokens(
        ledger,
        http,
        token_url=ghl.token_url,
        client_id=ghl.client_id,
        client_secret=ghl.client_secret,
        seed=ghl.refresh_token,
        location_id=LocationId(ghl.location_id),
    )


async def refused(auth: OAuthTokens, rejected: str | None = None) -> TimerexGhlError:
    """Request a token that fails, and check that the error contains no secret."""
    with pytest.raises(TimerexGhlError) as raised:
        await auth.token(rejected)
    assert "canary" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    return raised.value
