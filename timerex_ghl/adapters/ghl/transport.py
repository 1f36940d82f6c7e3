"""How one request to GHL is sent: rights, pace, a total deadline, and what came of it."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx

from timerex_ghl.adapters.ghl.auth import GhlAuth
from timerex_ghl.adapters.ghl.failures import GhlTokenRefusedError, failure_of, is_page, wait_of
from timerex_ghl.adapters.ghl.mappers import Json
from timerex_ghl.adapters.ghl.operations import OPERATIONS, GhlOperation
from timerex_ghl.adapters.ghl.rate_limiter import RateLimiter, is_behind_live
from timerex_ghl.domain.errors import (
    CredentialsError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    SkippableError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.models import LocationId

T = TypeVar("T")

NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""Failures before anything left this machine."""

ID = re.compile(r"[\w-]+", re.ASCII)


class _WithoutQuery(logging.Filter):
    """Cut the query off the URLs that httpx logs: guests' addresses stand there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg
                for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())


class GhlCall(NamedTuple):
    """One request, token and all else apart.

    Attributes:
        subject: What it is about, by id.
        url: Parsed: of a text httpx would make that twice.
    """

    operation: GhlOperation
    subject: str
    url: httpx.URL
    body: Json | None
    params: Mapping[str, str] | None

    def __str__(self) -> str:
        """Name it as it may be shown."""
        return f"{self.operation.name} ({self.subject})"

    def unclear(self, what: str) -> RetryableError:
        """Say that no readable answer came: of a write nobody knows whether it happened."""
        return UnknownOutcomeError(what) if self.operation.writes else RetryableError(what)


class GhlTransport:
    """One location's line to GHL.

    Attributes:
        auth: Makes access tokens, and knows what they may do.
        location_id: The only location these calls are about.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: GhlAuth,
        rate_limiter: RateLimiter,
        *,
        base_url: str,
        location_id: LocationId,
        deadline_s: float = 20.0,
    ) -> None:
        self.auth = auth
        self.location_id = location_id
        self._http = http
        self._rate_limiter = rate_limiter
        self._base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s
        self._lines = asyncio.Semaphore(rate_limiter.side_by_side)
        self._lines_behind = asyncio.Semaphore(rate_limiter.side_by_side)

    async def close(self) -> None:
        """Let go of the pace that is held. The HTTP client is its owner's."""
        await self._rate_limiter.close()

    async def send(
        self,
        operation: GhlOperation,
        read: Callable[[Json], T],
        *,
        body: Json | None = None,
        params: Mapping[str, str] | None = None,
        **ids: str,
    ) -> T:
        """Send one request, and hand back what `read` makes of its JSON.

        A token that GHL refuses is replaced once: then the same request goes out once more, which
        is safe since the first one was refused before it was handled.
        """
        call = self._call(operation, ids, body, params)
        token = await self.auth.token()
        self._check_scope(operation)
        try:
            response = await self._once(call, token)
        except GhlTokenRefusedError:
            response = await self._once(call, await self.auth.token(rejected=token))
        return _read(call, response, read)

    def _call(
        self,
        operation: GhlOperation,
        ids: Mapping[str, str],
        body: Json | None,
        params: Mapping[str, str] | None,
    ) -> GhlCall:
        if not all(ID.fullmatch(value) for value in ids.values()):
            raise SkippableError(f"{operation.name} needs GHL's own ids, and was given another")
        named = ids or {"location": self.location_id}
        subject = ", ".join(f"{kind} {value}" for kind, value in named.items())
        url = httpx.URL(self._base_url + operation.path.format_map(ids))
        return GhlCall(operation, subject, url, body, params)

    def refusal_of(self, name: str) -> ScopeError | None:
        """Tell whether a call would be refused, for want of a right; None where it may go.

        Args:
            name: The operation's, for example `contact.update`.
        """
        operation, scopes = OPERATIONS[name], self.auth.scopes()
        if not scopes or operation.scope in scopes:
            return None
        return ScopeError(
            f"the token lacks {operation.scope}, which {operation.name} needs: grant it in GHL"
            " and publish the connection again. Nothing was sent",
            scope=operation.scope,
            was_asked=False,
        )

    def _check_scope(self, operation: GhlOperation) -> None:
        refusal = self.refusal_of(operation.name) if operation.writes else None
        if refusal is not None:
            raise refusal

    async def _once(self, call: GhlCall, token: str) -> httpx.Response:
        lines = self._lines_behind if is_behind_live() else self._lines
        async with lines, self._rate_limiter.slot():
            response = await self._receive(call, token)
        self._rate_limiter.observe(response.headers)
        if response.is_success:
            return response
        failure = failure_of(
            call.operation, str(call), response.status_code, response.headers, _json_of(response)
        )
        if isinstance(failure, RateLimitedError):
            await self._rate_limiter.pause(wait_of(response.headers))
        raise failure

    async def _receive(self, call: GhlCall, token: str) -> httpx.Response:
        request = self._http.build_request(
            call.operation.method,
            call.url,
            json=call.body,
            params=call.params,
            headers={
                "Authorization": f"Bearer {token}",
                "Version": call.operation.version,
                "Accept": "application/json",
            },
        )
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._http.send(request, follow_redirects=False)
        except NEVER_SENT as error:
            raise RetryableError(
                f"{request.url.host} cannot be reached ({type(error).__name__}): {call} was not"
                " sent"
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise call.unclear(f"no answer to {call}: {type(error).__name__}") from None


def _read(call: GhlCall, response: httpx.Response, read: Callable[[Json], T]) -> T:
    if is_page(response.headers):
        raise CredentialsError(
            f"a web page answered {call}, and not GHL: check the API address and the credentials"
        )
    try:
        return read(response.json() if response.content else {})
    except (LookupError, TypeError, ValueError, AttributeError):
        raise call.unclear(f"GHL's answer to {call} cannot be read") from None


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
