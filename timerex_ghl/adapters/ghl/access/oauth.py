"""OAuth tokens of an installed app: refreshed ahead of time, by one process at a time.

A refresh token works once. GHL repeats the same answer for 30 seconds, so a crash between its
answer and our saving it can be repaired within that time, and not later.
Source: POST /oauth/token and the vendor's authorization guide.
"""

import asyncio
import os
import random
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.access.token_endpoint import SpentTokenError, TokenEndpoint
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.oauth_tokens import StoredTokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    RetryableError,
    SettingsError,
    TimerexGhlError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import LocationId

MARGIN = timedelta(minutes=15)
"""How long before expiry a token is refreshed. GHL's access tokens live about a day."""

LOCK_S = 15.0
"""Longer than a refresh takes; short enough that GHL still repeats the answer after a crash."""

INSTALL_AGAIN = (
    "GHL does not accept the refresh token any more: connect again. Install the app, enter the new"
    " refresh token in the GHL Credentials block and publish the connection again"
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
        self._endpoint = TokenEndpoint(http, token_url, client_id, client_secret, location_id)
        self._seed = SecretStr(seed)
        self._seed_digest = oauth_tokens.digest_of_seed(seed)
        self._key = f"{client_id}:{location_id}"
        self._known: StoredTokens | None = None
        self._turn = asyncio.Lock()
        self._renewing: asyncio.Future[str] | None = None

    async def token(self, rejected: str | None = None) -> str:
        """Return an access token that is not about to expire and is not the rejected one.

        Raises:
            CredentialsError: GHL no longer accepts the refresh token.
            RetryableError: The token endpoint cannot be reached, or another process refreshes.
        """
        access = self._usable(rejected)
        if access is not None:
            return access
        async with self._turn:
            access = self._usable(rejected)
            if access is None:
                # A caller may be cancelled, but a refresh that has begun must be saved.
                self._renewing = asyncio.ensure_future(self._renew(rejected))
                access = await asyncio.shield(self._renewing)
        return access

    def scopes(self) -> frozenset[str]:
        """Return the scopes GHL reported for the token; empty before the first token."""
        return self._known.scopes if self._known else frozenset()

    async def check_install(self) -> None:
        """Refresh now: GHL allows it only while the app is installed.

        Raises:
            CredentialsError: It is not; a new refresh token is needed.
            RetryableError: The token endpoint cannot be reached, or another process refreshes.
        """
        await self.token(rejected=await self.token())

    def _usable(self, rejected: str | None) -> str | None:
        known = self._known
        if known is None or known.access is None or known.expires_at is None:
            return None
        access = known.access.get_secret_value()
        is_known_seed = known.state == "ok" and self._seed_digest in known.seeds
        is_good = access != rejected and known.expires_at - MARGIN > datetime.now(UTC)
        return access if is_known_seed and is_good else None

    async def _renew(self, rejected: str | None) -> str:
        """Use a newer stored token; else take the lock, check again, and refresh."""
        access = await self._take(rejected)
        if access is not None:
            return access
        async with self._locked():
            return await self._take(rejected) or await self._rotate(await self._keep_grant())

    async def _take(self, rejected: str | None) -> str | None:
        """Return the ledger's access token, if it is usable."""
        self._known = await self._ledger.read(oauth_tokens.read_tokens, self._key, self._secret)
        if self._is_dead():
            raise CredentialsError(INSTALL_AGAIN)
        return self._usable(rejected)

    def _is_dead(self) -> bool:
        known = self._known
        return known is not None and known.state != "ok" and self._seed_digest in known.seeds

    async def _keep_grant(self) -> StoredTokens:
        """Store the block's refresh token as the start of a chain, unless tried before."""
        old = self._known
        if old is not None and self._seed_digest in old.seeds:
            return old
        version = None if old is None else old.version
        new = StoredTokens(
            key=self._key,
            version=(version or 0) + 1,
            access=None,
            refresh=self._seed,
            expires_at=None,
            scopes=frozenset(),
            seeds=frozenset({self._seed_digest, *(old.seeds if old else ())}),
        )
        await self._save(new, version)
        return new

    async def _rotate(self, stored: StoredTokens) -> str:
        """Send the refresh token once, and save the new pair before it is used."""
        await self._ledger.write(_mark_in_doubt, stored)
        try:
            answer = await self._endpoint.refresh(stored.refresh)
        except UnknownOutcomeError:
            raise  # in doubt: the next try sends the same token, and GHL repeats its answer
        except TimerexGhlError as error:
            raise await self._note_failure(stored, error) from None
        new = _tokens_of(answer, stored)
        await self._save(new, stored.version)
        self._known = new
        return str(answer["access_token"])

    async def _note_failure(self, stored: StoredTokens, error: TimerexGhlError) -> TimerexGhlError:
        """Store whether the refresh token is spent or still usable, and return the error."""
        if isinstance(error, SpentTokenError):
            self._known = None
            await self._ledger.write(oauth_tokens.mark_reconnect, self._key, stored.version)
            return CredentialsError(f"{INSTALL_AGAIN}: {error}")
        since = stored.in_doubt_since
        await self._ledger.write(oauth_tokens.mark_in_doubt, self._key, stored.version, since)
        return error

    async def _save(self, new: StoredTokens, expected_version: int | None) -> None:
        saved = await self._ledger.write(
            oauth_tokens.save_tokens, new, self._secret, expected_version=expected_version
        )
        if not saved:
            raise RetryableError("another process replaced the tokens")

    @property
    def _secret(self) -> SecretKey:
        if self._ledger.key is None:
            raise SettingsError("this process has no key: OAuth tokens are for workers only")
        return self._ledger.key

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None]:
        fence = await self._lock()
        try:
            yield
        finally:
            await self._ledger.write(locks.release_locks, [fence])

    async def _lock(self) -> Fence:
        holder = f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
        give_up_at = asyncio.get_running_loop().time() + LOCK_S + 5
        while True:
            fence = await self._ledger.write(locks.try_lock, [f"token:{self._key}"], holder, LOCK_S)
            if fence is not None:
                return fence
            if asyncio.get_running_loop().time() > give_up_at:
                raise RetryableError("another process is refreshing the token and has not finished")
            await asyncio.sleep(0.1 * random.uniform(0.5, 1.5))


def _mark_in_doubt(tx: Connection, stored: StoredTokens) -> None:
    since = stored.in_doubt_since or clock.now(tx)
    if not oauth_tokens.mark_in_doubt(tx, stored.key, stored.version, since):
        raise RetryableError("another process replaced the tokens")


def _tokens_of(answer: Mapping[str, Any], stored: StoredTokens) -> StoredTokens:
    """Parse the new pair.

    A token that lives shorter than two margins is used until GHL refuses it: refreshing ahead of
    time would mean a refresh at every call.
    """
    life = timedelta(seconds=float(answer.get("expires_in") or 0))
    refresh, scope = answer.get("refresh_token"), answer.get("scope")
    return stored.model_copy(
        update={
            "version": stored.version + 1,
            "access": SecretStr(str(answer["access_token"])),
            "refresh": SecretStr(str(refresh)) if refresh else stored.refresh,
            "expires_at": datetime.now(UTC) + max(life, 2 * MARGIN),
            "scopes": frozenset(str(scope).split()) if scope else stored.scopes,
            "in_doubt_since": None,
            "state": "ok",
        }
    )
