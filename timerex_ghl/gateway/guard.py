"""Refusing malformed and too many requests before any other check."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timerex_ghl.gateway.limits import GatewayLimits, SourceLimiter
from timerex_ghl.gateway.refusals import RETRY_AFTER_S

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_ODD_PATH = re.compile(rb"%2f|%5c|%00|\\", re.IGNORECASE)  # proxies may decode it to another path
_ODD = JSONResponse({"error": "odd request"}, 400, {"connection": "close"})
_LATER = {"retry-after": str(RETRY_AFTER_S)}


class Area(NamedTuple):
    """Paths with their own limits, so that a flood on some does not block the others.

    Attributes:
        prefix: Prefix of the paths.
        limiter: The limiter of the paths.
        failures: Statuses that count as a sender's failure.
        busy: The answer to a refused request.
    """

    prefix: str
    limiter: SourceLimiter
    failures: Collection[int]
    busy: JSONResponse


def endpoints_with(limits: GatewayLimits) -> Area:
    """Limit the webhook endpoints: wrong signatures and unknown endpoints count as failures."""
    return Area("/webhooks", SourceLimiter(limits), {401, 404}, _busy({"error": "busy"}))


def api_with(limits: GatewayLimits) -> Area:
    """Limit the API: wrong tokens count as failures."""
    problem = {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "send fewer requests, with a valid token",
        "instance": "urn:timerex-ghl:error:turned-away",
    }
    return Area("/api", SourceLimiter(limits), {401}, _busy(problem, "application/problem+json"))


def _busy(body: Mapping[str, object], media_type: str = "application/json") -> JSONResponse:
    return JSONResponse(body, 429, _LATER, media_type=media_type)


class Guard:
    """Middleware before the whole gateway. Health checks are allowed under any host name."""

    def __init__(self, app: ASGIApp, areas: Collection[Area], hosts: Collection[str]) -> None:
        """Store the limits and the allowed `hosts`; empty allows all."""
        self._app = app
        self._areas = areas
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in {"/healthz", "/readyz"}:
            await self._app(scope, receive, send)
        elif not self._is_for_us(scope):
            await _ODD(scope, receive, send)
        else:
            await self._let_in(scope, receive, send)

    def _is_for_us(self, scope: Scope) -> bool:
        """Check for one allowed `Host`, an unambiguous path and an unambiguous body length."""
        if scope["path"].startswith("/webhooks") and _ODD_PATH.search(scope.get("raw_path") or b""):
            return False
        names = [name for name, _ in scope["headers"]]
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or {b"content-length", b"transfer-encoding"} <= {*names}:
            return False
        match = _HOST.fullmatch(hosts[0].decode("latin-1"))
        return match is not None and (not self._hosts or match[1].lower() in self._hosts)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        areas = (one for one in self._areas if scope["path"].startswith(one.prefix))
        area = next(areas, None)
        if area is None:  # no such path
            await self._app(scope, receive, send)
            return
        source = area.limiter.enter(scope["client"][0] if scope["client"] else "")
        if source is None:
            await area.busy(scope, receive, send)
            return
        failed = False

        async def watch(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                failed = message["status"] in area.failures
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            area.limiter.leave(source, failed=failed)
