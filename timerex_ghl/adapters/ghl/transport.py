"""How one request to GHL is sent: rights, pace, a total deadline, and what came of it."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import httpx

from timerex_ghl.adapters.ghl.auth import GhlAuth
from timerex_ghl.adapters.ghl.failures import TokenRefusedError, failure_of, wait_of
from timerex_ghl.adapters.ghl.operations import Operation
from timerex_ghl.adapters.ghl.pacing import Pacer
from timerex_ghl.sync.errors import (
    CredentialsError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    TimerexGhlError,
    UnknownOutcomeError,
)
from timerex_ghl.sync.models import LocationId

NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""Failures before anything left this machine."""


class Transport:
    """One location's line to GHL.

    Attributes:
        auth: Makes access tokens, and knows what they may do.
        location_id: The only location these calls are about.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: GhlAuth,
        pacer: Pacer,
        *,
        base_url: str,
        location_id: LocationId,
        deadline_s: float = 20.0,
    ) -> None:
        self.auth = auth
        self.location_id = location_id
        self._http = http
        self._pacer = pacer
        self._base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s

    async def close(self) -> None:
        """Let go of the pace that is held. The HTTP client is its owner's."""
        await self._pacer.close()

    async def send(
        self,
        operation: Operation,
        ids: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one request, and hand back its JSON.

        A token that GHL refuses is replaced once: then the same request goes out once more, which
        is safe since the first one was turned away at the door.
        """
        token = await self.auth.token()
        self._check_scope(operation)
        subject = ids.get("id") or self.location_id
        try:
            return await self._once(operation, ids, subject, body, params, token)
        except TokenRefusedError:
            token = await self.auth.token(rejected=token)
            return await self._once(operation, ids, subject, body, params, token)

    def _check_scope(self, operation: Operation) -> None:
        scopes = self.auth.scopes()
        if operation.writes and scopes and operation.scope not in scopes:
            raise ScopeError(
                f"the token lacks {operation.scope}, which {operation.name} needs: grant it in GHL"
                " and publish the connection again. Nothing was sent",
                scope=operation.scope,
            )

    async def _once(
        self,
        operation: Operation,
        ids: Mapping[str, str],
        subject: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, Any] | None,
        token: str,
    ) -> Any:
        request = self._http.build_request(
            operation.method,
            self._base_url + operation.path.format_map(ids),
            json=body,
            params=params,
            headers={
                "Authorization": f"Bearer {token}",
                "Version": operation.version,
                "Accept": "application/json",
            },
        )
        async with self._pacer.slot():
            response = await self._receive(operation, subject, request)
        await self._pacer.told(response.headers)
        if not response.is_success:
            failure = self._failure(operation, subject, response)
            if isinstance(failure, RateLimitedError):
                await self._pacer.hold(wait_of(response.headers))
            raise failure
        return self._read(operation, subject, response)

    async def _receive(
        self, operation: Operation, subject: str, request: httpx.Request
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._http.send(request, follow_redirects=False)
        except NEVER_SENT as error:
            raise RetryableError(
                f"{request.url.host} cannot be reached ({type(error).__name__}):"
                f" {operation.name} was not sent"
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            kind = UnknownOutcomeError if operation.writes else RetryableError
            raise kind(
                f"no answer to {operation.name} ({subject}): {type(error).__name__}"
            ) from None

    def _failure(
        self, operation: Operation, subject: str, response: httpx.Response
    ) -> TimerexGhlError:
        return failure_of(
            operation, subject, response.status_code, response.headers, _json_of(response)
        )

    def _read(self, operation: Operation, subject: str, response: httpx.Response) -> Any:
        body = _json_of(response)
        if isinstance(body, dict):
            return cast("dict[str, Any]", body)
        if "html" in response.headers.get("content-type", ""):
            raise CredentialsError(
                f"GHL answered {operation.name} ({subject}) with a page: check the API address"
            )
        kind = UnknownOutcomeError if operation.writes else RetryableError
        raise kind(f"GHL's answer to {operation.name} ({subject}) cannot be read")


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
