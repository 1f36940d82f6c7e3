"""Checks before any route: authentication, and limits on the request's body."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import JsonValue
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import api_tokens
from timerex_ghl.adapters.ledger.tables.access.api_tokens import ApiToken
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.strict_json import read_json
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.errors import FatalError, RetryableError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.gateway.api.problems import ProblemError
from timerex_ghl.gateway.limits import GatewayLimits
from timerex_ghl.gateway.requests import check_media_type, read_body
from timerex_ghl.workspace.edits import Editor

_RETRY_AFTER_S = 2
_LONGEST_TOKEN = 200
_READS = {"GET", "HEAD"}

bearer = HTTPBearer(auto_error=False, description="Made by `timerex-ghl token create`.")


class ApiCaller(NamedTuple):
    """The caller: its token, and the token's connection."""

    ledger: Ledger
    token: ApiToken
    settings: ConnectionSettings

    @property
    def connection(self) -> ConnectionName:
        """Return the name of the caller's connection."""
        return self.settings.name

    @property
    def editor(self) -> Editor:
        """Return the caller as an editor, as named in the audit."""
        return Editor(self.settings, f"token:{self.token.id}")


def _limits_of(request: Request) -> GatewayLimits:
    """Return the limits the application was built with."""
    return request.app.state.limits


class StrictRequest(Request):
    """A request with a bounded body of strict JSON."""

    async def body(self) -> bytes:
        """Read at most 256 KB, within `body_deadline_s`."""
        if not hasattr(self, "_body"):
            self._body = await read_body(
                Request(self.scope, self.receive), _limits_of(self).body_deadline_s
            )
        return self._body

    async def json(self) -> JsonValue:
        """Parse the body as one JSON document."""
        try:
            return read_json(await self.body())
        except ValueError:
            raise HTTPException(400) from None


class GuardedRoute(APIRoute):
    """A route that needs a token. The body is not read before the token is checked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with the checks before it."""
        answer, takes_body = super().get_route_handler(), self.body_field is not None

        async def guarded(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            deadline_s = _limits_of(strict).api_ledger_deadline_s
            async with _ledger_deadline(deadline_s):
                strict.state.caller = await _admit(strict)
            if takes_body:
                check_media_type(request.headers)
                await strict.json()
            async with _ledger_deadline(deadline_s):
                return await answer(strict)

        return guarded


def _caller_of(request: Request) -> ApiCaller:
    return request.state.caller


Here = Annotated[ApiCaller, Depends(_caller_of)]
"""The dependency that gives a route its caller."""


async def _admit(request: Request) -> ApiCaller:
    """Authenticate and authorize the caller.

    Raises:
        ProblemError: 401 without a valid token; 403 where it may not do this.
    """
    ledger: Ledger = request.app.state.ledger
    sent = _token_of(request.headers.getlist("authorization"))
    found = await ledger.read(_look_up, sent) if sent else None
    if found is None:
        challenge = 'Bearer realm="timerex-ghl"' + (', error="invalid_token"' if sent else "")
        raise ProblemError(
            401,
            "no-token",
            "send Authorization: Bearer <token>, made by timerex-ghl token create",
            headers={"WWW-Authenticate": challenge},
        )
    token, settings, now = found
    if settings is None:
        raise ProblemError(403, "not-published", "publish this token's connection first")
    if request.method not in _READS and not token.may_write:
        raise ProblemError(
            403,
            "read-only",
            "this token may only read: create one with --write",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    if api_tokens.is_use_to_be_recorded(token, now):
        _note_use(request, token, now)
    return ApiCaller(ledger, token, settings)


def _note_use(request: Request, token: ApiToken, now: datetime) -> None:
    """Record a token's use without waiting, so that reading requests do not wait for writers.

    At most one such write per token is pending, so the queue stays short.
    """
    pending: set[str] = request.app.state.pending_use_notes
    if token.id in pending:
        return

    def end(_: "asyncio.Future[None]") -> None:
        pending.discard(token.id)

    ledger: Ledger = request.app.state.ledger
    posted = ledger.post(api_tokens.note_use, token.id, now)
    pending.add(token.id)
    posted.add_done_callback(end)


def _token_of(headers: list[str]) -> str | None:
    """Return the bearer token of the only Authorization header."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    good = scheme.lower() == "bearer" and token.isascii() and len(token) <= _LONGEST_TOKEN
    return token if good and token else None


def _look_up(
    tx: Connection, sent: str
) -> tuple[ApiToken, ConnectionSettings | None, datetime] | None:
    token = api_tokens.find_token(tx, sent)
    if token is None:
        return None
    version = published.current(tx, token.connection)
    return token, version.settings if version else None, clock.now(tx)


@asynccontextmanager
async def _ledger_deadline(deadline_s: float) -> AsyncGenerator[None]:
    """Answer 503 when the ledger does not answer in time.

    A write may still have been stored: its Idempotency-Key or version makes repeating it safe.
    """
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except (RetryableError, FatalError, OSError) as error:  # TimeoutError is an OSError
        raise ProblemError(
            503,
            "unavailable",
            "repeat the request, with the same Idempotency-Key or If-Match",
            headers={"Retry-After": str(_RETRY_AFTER_S)},
        ) from error
