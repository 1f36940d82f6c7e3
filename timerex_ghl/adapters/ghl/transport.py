"""Sending one request to GHL: scope check, rate limiter, total deadline, and error mapping."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx

from timerex_ghl.adapters.ghl.access.auth import GhlAuth
from timerex_ghl.adapters.ghl.failures import (
    GhlTokenRefusedError,
    failure_of,
    is_page,
    lost_answer,
    wait_of,
)
from timerex_ghl.adapters.ghl.mappers import Json
from timerex_ghl.adapters.ghl.operations import OPERATIONS, GhlOperation
from timerex_ghl.adapters.ghl.rate_limiter import RateLimiter, is_behind_live
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    OutageError,
    RateLimitedError,
    ScopeError,
    SkippableError,
)
from timerex_ghl.domain.shared.models import LocationId

T = TypeVar("T")

NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""Failures before any byte was sent."""

ID = re.compile(r"[\w-]+", re.ASCII)


class _WithoutQuery(logging.Filter):
    """Removes the query from URLs that httpx logs: it may contain guests' addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg
                for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQuery())


class GhlCall(NamedTuple):
    """One request, without its token.

    Attributes:
        subject: The records it is about, by id.
        url: Already parsed: httpx would parse a string twice.
    """

    operation: GhlOperation
    subject: str
    url: httpx.URL
    body: Json | None
    params: Mapping[str, str] | None

    def __str__(self) -> str:
        """Return the call as shown in messages."""
        return f"{self.operation.name} ({self.subject})"

    def unclear(self, what: str) -> OutageError:
        """Return the error for an unreadable answer: the outcome of a write is then unknown."""
        return lost_answer(self.operation, what)


class GhlTransport:
    """Sends the requests of one location.

    Attributes:
        auth: Source of access tokens and their scopes.
        location_id: The location of all calls.
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
        """Close the rate limiter. The HTTP client is closed by its owner."""
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
        """Send one request, and return what `read` parses from its JSON.

        A token that GHL refuses is replaced once, and the same request is sent once more. That is
        safe because the first one was refused before it was processed.
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
            raise SkippableError(f"invalid id for {operation.name}: use an id from GHL")
        named = ids or {"location": self.location_id}
        subject = ", ".join(f"{kind} {value}" for kind, value in named.items())
        url = httpx.URL(self._base_url + operation.path.format_map(ids))
        return GhlCall(operation, subject, url, body, params)

    def refusal_of(self, name: str) -> ScopeError | None:
        """Return the error of a call that lacks a scope; None where the call is allowed.

        Args:
            name: Name of the operation, for example `contact.update`.
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
            raise OutageError(
                f"{request.url.host} cannot be reached ({type(error).__name__}): {call} was not"
                " sent",
                service="GHL",
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise call.unclear(f"no answer to {call}: {type(error).__name__}") from None


def _read(call: GhlCall, response: httpx.Response, read: Callable[[Json], T]) -> T:
    if is_page(response.headers):
        raise CredentialsError(
            f"a web page answered {call} instead of GHL: check the API address and the credentials"
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
