"""Sending one request to TimeRex: rate limiter, credentials, total deadline, error mapping."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, Self, TypeVar

import httpx
from pydantic import JsonValue, SecretStr

from timerex_ghl.adapters.ghl.transport import NEVER_SENT
from timerex_ghl.adapters.strict_json import read_json
from timerex_ghl.adapters.timerex.auth import TimerexAuth
from timerex_ghl.adapters.timerex.failures import (
    TimerexTokenRefusedError,
    failure_of,
    is_page,
    lost_answer,
    wait_of,
)
from timerex_ghl.adapters.timerex.operations import TimerexOperation
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    OutageError,
    RateLimitedError,
    SkippableError,
)

T = TypeVar("T")

ID = re.compile(r"[\w-]{1,128}", re.ASCII)
WAIT_S = 60.0
"""Wait for a slot: within a minute one is free, unless the hour's or day's limit is used up."""


class TimerexCall(NamedTuple):
    """One request, without credentials."""

    operation: TimerexOperation
    subject: str
    url: str
    body: Mapping[str, str] | None
    params: Mapping[str, str] | None

    def __str__(self) -> str:
        """Return the call as shown in messages."""
        return f"{self.operation.name}{self.subject}"

    def unclear(self, what: str) -> OutageError:
        """Return the error for an unreadable answer: the outcome of a write is then unknown."""
        return lost_answer(self.operation, what)


class TimerexTransport:
    """Sends the requests of one user."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: TimerexAuth,
        rate_limiter: TimerexRateLimiter | None,
        *,
        base_url: str,
        deadline_s: float = 20.0,
        wait_s: float = WAIT_S,
    ) -> None:
        """Store the settings. `rate_limiter` None: unlimited, for tests against the sandbox."""
        self._http = http
        self._auth = auth
        self._rate_limiter = rate_limiter
        self._base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s
        self._wait_s = wait_s

    def sparing(self, calls: int, *, wait_s: float = WAIT_S) -> Self:
        """Return a client for work that can wait, leaving `calls` of each window to the rest."""
        return type(self)(
            self._http,
            self._auth,
            self._rate_limiter and self._rate_limiter.sparing(calls),
            base_url=self._base_url,
            deadline_s=self._deadline_s,
            wait_s=wait_s,
        )

    async def send(
        self,
        operation: TimerexOperation,
        read: Callable[[JsonValue], T],
        *,
        body: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        wait_s: float | None = None,
        **ids: str,
    ) -> T:
        """Send one request, and return what `read` parses from its JSON.

        A token that TimeRex refuses is replaced once, and the same request is sent once more. That
        is safe because the first one was refused before it was processed.
        """
        call = self._call(operation, ids, body, params)
        wait_s = self._wait_s if wait_s is None else wait_s
        header = await self._auth.header()
        try:
            response = await self._once(call, header, wait_s)
        except TimerexTokenRefusedError:
            response = await self._once(call, await self._auth.header(header[1]), wait_s)
        return _read(call, response, read)

    def _call(
        self,
        operation: TimerexOperation,
        ids: Mapping[str, str],
        body: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> TimerexCall:
        if not all(ID.fullmatch(value) for value in ids.values()):
            raise SkippableError(f"invalid id for {operation.name}: use an id from TimeRex")
        subject = "".join(f" ({kind.replace('_', ' ')} {value})" for kind, value in ids.items())
        url = self._base_url + operation.path.format_map(ids)
        return TimerexCall(operation, subject, url, body, params)

    async def _once(
        self, call: TimerexCall, header: tuple[str, SecretStr], wait_s: float
    ) -> httpx.Response:
        async with self._slot_for(call.operation, wait_s):
            response = await self._receive(call, header)
        if response.is_success:
            return response
        failure = failure_of(
            call.operation,
            str(call),
            response.status_code,
            response.headers,
            has_scopes=self._auth.has_scopes,
        )
        if isinstance(failure, RateLimitedError) and self._rate_limiter is not None:
            await self._rate_limiter.pause(call.operation.windows, wait_of(response.headers))
        raise failure

    @asynccontextmanager
    async def _slot_for(self, operation: TimerexOperation, wait_s: float) -> AsyncGenerator[None]:
        if self._rate_limiter is None:
            yield
            return
        async with self._rate_limiter.taken(operation.windows, wait_s):
            yield

    async def _receive(self, call: TimerexCall, header: tuple[str, SecretStr]) -> httpx.Response:
        name, secret = header
        request = self._http.build_request(
            call.operation.method,
            call.url,
            json=call.body,
            params=call.params,
            headers={name: secret.get_secret_value(), "Accept": "application/json"},
        )
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._http.send(request, follow_redirects=False)
        except NEVER_SENT as error:
            raise OutageError(
                f"{request.url.host} cannot be reached ({type(error).__name__}): {call} was not"
                " sent",
                service="TimeRex",
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise call.unclear(f"no answer to {call}: {type(error).__name__}") from None


def _read(call: TimerexCall, response: httpx.Response, read: Callable[[JsonValue], T]) -> T:
    if is_page(response.headers):
        raise CredentialsError(
            f"a web page answered {call} instead of TimeRex: check the API address and the key"
        )
    try:
        return read(read_json(response.content) if response.content else None)
    except (ValueError, OverflowError):  # pydantic's error is a ValueError
        raise call.unclear(f"TimeRex's answer to {call} cannot be read") from None
