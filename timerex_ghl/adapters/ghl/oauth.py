"""OAuth tokens of an installed app: refreshed ahead of time, by one process at a time.

A refresh token is good for one use. GHL repeats the same answer for 30 seconds, which is what makes
a crash between its answer and our saving repairable: at once, and once.
Source: POST /oauth/token and the vendor's authorization guide.
"""

import asyncio
import os
import random
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, NoReturn

import httpx
from pydantic import SecretStr
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import clock, locks, tokens
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.locks import Fence
from timerex_ghl.adapters.ledger.secrets import SecretKey
from timerex_ghl.adapters.ledger.tokens import StoredTokens
from timerex_ghl.sync.errors import CredentialsError, RetryableError, SettingsError
from timerex_ghl.sync.models import LocationId

MARGIN = timedelta(minutes=15)
"""Refreshed this long before it runs out. GHL's access tokens live about a day."""

REPEATED_FOR = timedelta(seconds=30)
"""GHL answers the same refresh alike for this long."""

DEADLINE_S = 20.0
LOCK_S = 40.0
INSTALL_AGAIN = (
    "GHL does not accept the refresh token any more: install the app again, enter the new refresh"
    " token in the GHL Credentials block and publish the connection again"
)


class OAuthTokens:
    """Access tokens of one installation, shared by every process through the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        http: httpx.AsyncClient,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        seed: str,
        location_id: LocationId,
    ) -> None:
        self._ledger = ledger
        self._http = http
        self._token_url = token_url
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._seed = seed
        self._location_id = location_id
        self._key = f"{client_id}:{location_id}"
        self._known: StoredTokens | None = None

    async def token(self, rejected: str | None = None) -> str:
        """Hand out an access token that is good for a while; another than the rejected one.

        Raises:
            CredentialsError: GHL takes the refresh token no longer.
            RetryableError: The token endpoint cannot be reached, or somebody else refreshes.
        """
        if self._known is not None:
            access = self._usable(self._known, rejected)
            if access is not None:
                return access
        return await self._take(rejected) or await self._refresh(rejected)

    def scopes(self) -> frozenset[str]:
        """Tell what GHL said the token may do; nothing before the first one."""
        return self._known.scopes if self._known else frozenset()

    def _usable(self, known: StoredTokens, rejected: str | None) -> str | None:
        if known.access is None or known.expires_at is None or not self._is_of_seed(known):
            return None
        access = known.access.get_secret_value()
        is_good = known.expires_at - MARGIN > datetime.now(UTC)
        return access if access != rejected and is_good else None

    async def _take(self, rejected: str | None) -> str | None:
        """Take the ledger's access token, if it will do."""
        stored = await self._read()
        access = None if stored is None else self._usable(stored, rejected)
        if access is not None:
            self._known = stored
        return access

    def _is_of_seed(self, known: StoredTokens) -> bool:
        """Tell whether the family grew from the block's refresh token, not from an older one."""
        return known.seed_digest == tokens.digest_of_seed(self._seed)

    async def _read(self) -> StoredTokens | None:
        return await self._ledger.read(tokens.read_tokens, self._key, self._secret)

    @property
    def _secret(self) -> SecretKey:
        if self._ledger.key is None:
            raise SettingsError("this process has no key: OAuth tokens are for workers only")
        return self._ledger.key

    async def _refresh(self, rejected: str | None) -> str:
        """Become the one who refreshes, look again, and refresh only if nobody did meanwhile."""
        fence = await self._lock()
        try:
            access = await self._take(rejected)
            return access or await self._rotate(await self._adopt(await self._read()))
        finally:
            await self._ledger.write(locks.release_lock, fence)

    async def _lock(self) -> Fence:
        holder = f"{os.getpid()}:{random.getrandbits(32):08x}"
        for _ in range(int(LOCK_S / 0.1) + 20):
            fence = await self._ledger.write(locks.try_lock, [f"token:{self._key}"], holder, LOCK_S)
            if fence is not None:
                return fence
            await asyncio.sleep(0.1 * random.uniform(0.5, 1.5))
        raise RetryableError("another process is refreshing the token and does not finish")

    async def _adopt(self, stored: StoredTokens | None) -> StoredTokens:
        """Begin a family with the block's refresh token, where it is new to us."""
        if stored is not None and self._is_of_seed(stored):
            if stored.state == "reconnect":
                raise CredentialsError(INSTALL_AGAIN)
            return stored
        new = StoredTokens(
            key=self._key,
            version=1 if stored is None else stored.version + 1,
            access=None,
            refresh=SecretStr(self._seed),
            expires_at=None,
            scopes=frozenset(),
            seed_digest=tokens.digest_of_seed(self._seed),
        )
        replaces = None if stored is None else stored.version
        await self._save(new, replaces)
        return new

    async def _rotate(self, stored: StoredTokens) -> str:
        """Present the refresh token, once; save what comes before anybody uses it."""
        await self._ledger.write(_mark_in_doubt, stored)
        answer = await self._ask(stored)
        new = _tokens_of(answer, stored, datetime.now(UTC))
        if answer.get("locationId") not in {None, self._location_id}:
            raise CredentialsError(
                f"the app is installed for another location than {self._location_id}"
            )
        await self._save(new, stored.version)
        self._known = new.model_copy(update={"version": stored.version + 1})
        return str(answer["access_token"])

    async def _ask(self, stored: StoredTokens) -> dict[str, Any]:
        form = {
            **self._client,
            "grant_type": "refresh_token",
            "refresh_token": stored.refresh.get_secret_value(),
            "user_type": "Location",
        }
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._http.post(self._token_url, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            since = stored.in_doubt_since  # nothing was sent: no more in doubt than before
            await self._ledger.write(tokens.mark_in_doubt, self._key, stored.version, since)
            raise _no_answer(error) from None
        except (httpx.HTTPError, TimeoutError) as error:
            if _is_past_repeat(stored):
                await self._give_up(stored)
            raise _no_answer(error) from None
        if response.is_client_error and response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            await self._give_up(stored)
        return _answer_of(response)

    async def _give_up(self, stored: StoredTokens) -> NoReturn:
        await self._ledger.write(tokens.mark_reconnect, self._key, stored.version)
        raise CredentialsError(INSTALL_AGAIN)

    async def _save(self, new: StoredTokens, replaces: int | None) -> None:
        saved = await self._ledger.write(tokens.save_tokens, new, self._secret, replaces=replaces)
        if not saved:
            raise RetryableError("another process replaced the tokens meanwhile")


def _no_answer(error: Exception) -> RetryableError:
    return RetryableError(f"no answer from the token address: {type(error).__name__}")


def _answer_of(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.raise_for_status().json()
        return {**answer, "access_token": answer["access_token"]}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise RetryableError(
            f"the token address answered {response.status_code} and no token"
        ) from None


def _is_past_repeat(stored: StoredTokens) -> bool:
    """Tell whether an earlier answer was lost too long ago for GHL to repeat it."""
    since = stored.in_doubt_since
    return since is not None and datetime.now(UTC) - since > REPEATED_FOR


def _mark_in_doubt(tx: Connection, stored: StoredTokens) -> None:
    since = stored.in_doubt_since or clock.now(tx)
    if not tokens.mark_in_doubt(tx, stored.key, stored.version, since):
        raise RetryableError("another process replaced the tokens meanwhile")


def _tokens_of(answer: dict[str, Any], stored: StoredTokens, now: datetime) -> StoredTokens:
    return stored.model_copy(
        update={
            "access": SecretStr(str(answer["access_token"])),
            "refresh": SecretStr(str(answer.get("refresh_token") or "")),
            "expires_at": now + timedelta(seconds=int(answer.get("expires_in") or 0)),
            "scopes": frozenset(str(answer.get("scope") or "").split()),
            "in_doubt_since": None,
            "state": "ok",
        }
    )
