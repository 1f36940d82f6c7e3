"""A client with canned answers, and a server that fails."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import GhlAuth, PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import RateLimiter, Unlimited
from timerex_ghl.domain.shared.models import GhlContactId, GhlNoteId, LocationId

LOCATION = LocationId("locAoba")
RIKU = GhlContactId("riku1")
NOTE = GhlNoteId("note1")
CANARIES = ("riku@hinode.example", "+81312345678", "Riku Sato", "pit-canary")
"""What no error message may contain: personal data and the token."""
EVERY_SCOPE = frozenset(
    {
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/tasks.readonly",
        "calendars.readonly",
        "calendars/events.readonly",
        "calendars/events.write",
        "users.readonly",
    }
)


@dataclass
class Line:
    """A client, and its sent requests.

    Attributes:
        tokens: The `Authorization` of each request.
    """

    client: GhlClient
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    tokens: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def line(
    *answers: httpx.Response | Exception,
    auth: GhlAuth | None = None,
    rate_limiter: RateLimiter | None = None,
) -> AsyncGenerator[Line]:
    """Open a client that gets exactly these answers, one per request."""
    waiting = [*answers]

    def answer(request: httpx.Request) -> httpx.Response:
        opened.requests.append(request)
        opened.tokens.append(request.headers["Authorization"])
        given = waiting.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        opened = Line(client_of(http, "https://ghl.example", auth=auth, rate_limiter=rate_limiter))
        yield opened


def client_of(
    http: httpx.AsyncClient,
    base_url: str,
    *,
    auth: GhlAuth | None = None,
    rate_limiter: RateLimiter | None = None,
    deadline_s: float = 20.0,
) -> GhlClient:
    return GhlClient(
        http,
        auth or PrivateToken("pit-canary", EVERY_SCOPE),
        rate_limiter or Unlimited(),
        base_url=base_url,
        location_id=LOCATION,
        deadline_s=deadline_s,
    )


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def bad_server(behave: Behaviour, *, deadline_s: float = 5.0) -> AsyncGenerator[GhlClient]:
    """Open a client of a server that reads the headers, runs `behave`, and hangs up."""

    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await behave(writer)
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(serve(reader, writer)))
        serving[-1].add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(verify=NO_TLS) as http:
        yield client_of(http, f"http://127.0.0.1:{port}", deadline_s=deadline_s)
        for task in serving:
            task.cancel()
        await asyncio.wait(serving)
