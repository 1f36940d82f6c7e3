"""What is refused before anything else is looked at: odd requests, and too many of them."""

import re
from collections.abc import Collection

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timerex_ghl.gateway.limits import Turnstile
from timerex_ghl.gateway.refusals import RETRY_AFTER_S

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_ODD_PATH = re.compile(rb"%2f|%5c|%00|\\", re.IGNORECASE)  # two readers could see two paths
_FAILURES = {401, 404}
_ODD = JSONResponse({"error": "odd request"}, 400, {"connection": "close"})
_BUSY = JSONResponse({"error": "busy"}, 429, {"retry-after": str(RETRY_AFTER_S)})


class Guard:
    """Stands before the whole gateway.

    The limits are those of the doors; the health of the process may be asked under any name.
    """

    def __init__(self, app: ASGIApp, turnstile: Turnstile, hosts: Collection[str]) -> None:
        """Take the names under which the gateway may be called; none allows all."""
        self._app = app
        self._turnstile = turnstile
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http" or scope["path"] in {"/healthz", "/readyz"}:
            await self._app(scope, receive, send)
        elif not self._is_for_us(scope):
            await _ODD(scope, receive, send)
        elif scope["path"].startswith("/webhooks"):
            is_odd = _ODD_PATH.search(scope.get("raw_path") or b"")
            await (_ODD if is_odd else self._let_in)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_for_us(self, scope: Scope) -> bool:
        """Check the one `Host`, and that the body's length is told in one way only."""
        names = [name for name, _ in scope["headers"]]
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or {b"content-length", b"transfer-encoding"} <= {*names}:
            return False
        match = _HOST.fullmatch(hosts[0].decode("latin-1"))
        return match is not None and (not self._hosts or match[1].lower() in self._hosts)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        source = self._turnstile.enter(scope["client"][0] if scope["client"] else "")
        if source is None:
            await _BUSY(scope, receive, send)
            return
        failed = False

        async def watch(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                failed = message["status"] in _FAILURES
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._turnstile.leave(source, failed=failed)
