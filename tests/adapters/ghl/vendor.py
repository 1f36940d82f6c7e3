"""A token endpoint like GHL's: a refresh token works once, its answer repeats for 30 seconds."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs

import httpx

SECRET = "client-canary"
SEED = "refresh-canary-0"
SCOPES = "contacts.readonly contacts.write"


class Vendor:
    """Answers refreshes.

    Attributes:
        shown: Every refresh token that was presented, in order.
        repeats: Whether a spent token gets its first answer again.
        next: Replaces the next answer, once. It is called after the exchange.
    """

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.repeats = True
        self.expires_in = 86_399
        self.extra: dict[str, object] = {}
        self.next: Callable[[httpx.Response], httpx.Response] | None = None
        self._became = {SEED: 0}
        self._issued = 0
        self._one_at_a_time = Lock()

    def install_again(self, seed: str) -> None:
        """Return a refresh token of a new installation."""
        self._became[seed] = 0

    def answer(self, form: dict[str, str]) -> httpx.Response:
        """Exchange a refresh token."""
        with self._one_at_a_time:
            answer = self._exchange(form)
            taking_place, self.next = self.next, None
        return taking_place(answer) if taking_place else answer

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert "Version" not in request.headers
        return self.answer(read_form(request.content))

    def _exchange(self, form: dict[str, str]) -> httpx.Response:
        if form["client_secret"] != SECRET:
            return httpx.Response(401, json={"error": "invalid_client"})
        assert (form["grant_type"], form["user_type"]) == ("refresh_token", "Location")
        token = form["refresh_token"]
        self.shown.append(token)
        number = self._became.get(token)
        if number is None or (number and not self.repeats):
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": token})
        if not number:
            self._issued += 1
            number = self._became[token] = self._issued
            self._became[f"refresh-canary-{number}"] = 0
        body = {
            "access_token": f"access-canary-{number}",
            "refresh_token": f"refresh-canary-{number}",
            "expires_in": self.expires_in,
            "scope": SCOPES,
            "userType": "Location",
            "locationId": "locAoba",
        }
        return httpx.Response(200, json={**body, **self.extra})


def read_form(content: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(content.decode()).items()}


@contextmanager
def served(vendor: Vendor) -> Generator[str]:
    """Serve a vendor on loopback; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            answer = vendor.answer(read_form(self.rfile.read(length)))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/oauth/token"
        server.shutdown()
        thread.join()
