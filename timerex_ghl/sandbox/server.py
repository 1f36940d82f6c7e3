"""Serve the sandbox: one process, one loopback port, three bases below it.

`/ghl` is `https://services.leadconnectorhq.com`, `/timerex` is `https://timerex.net` with its API
at `/timerex/api/beta`, and `/control` is ours.
"""

import asyncio
import re
import secrets
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from timerex_ghl.sandbox.control.control import control_app
from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.json_io import to_json
from timerex_ghl.sandbox.ghl.access.tokens import ALL_SCOPES, Install
from timerex_ghl.sandbox.ghl.ghl_router import ghl_router
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.info import ControlInfo, GhlInfo, SandboxInfo, TimerexInfo
from timerex_ghl.sandbox.timerex.timerex_api import timerex_router
from timerex_ghl.sandbox.timerex.timerex_pages import pages_router
from timerex_ghl.sandbox.timerex.timerex_state import Timerex

HOST = "127.0.0.1"


@dataclass
class Sandbox:
    """Both services, on one clock, and the token of the control API."""

    clock: MachineClock = field(default_factory=MachineClock)
    ghl: Ghl = field(init=False)
    timerex: Timerex = field(init=False)
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def __post_init__(self) -> None:
        """Start with empty services."""
        self.ghl = Ghl(self.clock)
        self.timerex = Timerex(self.clock)

    def info(self, root: str) -> SandboxInfo:
        """Return the addresses, with new tokens."""
        ghl, timerex, location_id = self.ghl, self.timerex, self.ghl.location.id
        pair = ghl.tokens.mint_pair(Install(location_id, ALL_SCOPES))
        webhook, timerex_pair = timerex.deliveries.webhook, timerex.tokens.mint_pair()
        timerex.serve_at(f"{root}/timerex")
        return SandboxInfo(
            GhlInfo(
                base_url=f"{root}/ghl",
                token_url=f"{root}/ghl/oauth/token",
                location_id=location_id,
                access_token=pair.access,
                refresh_token=pair.refresh,
                client_id=ghl.tokens.client_id,
                client_secret=ghl.tokens.client_secret,
                private_token=ghl.tokens.mint_static(location_id),
                calendar_id=ghl.setup.calendar_id,
                user_id=ghl.setup.user_id,
                webhook_public_key=ghl.deliveries.webhook.public_key,
            ),
            TimerexInfo(
                base_url=f"{root}/timerex/api/beta",
                token_url=f"{root}/timerex/oauth/token",
                booking_url=timerex.calendar.url,
                api_key=timerex.api_key,
                client_id=timerex.tokens.client_id,
                client_secret=timerex.tokens.client_secret,
                access_token=timerex_pair.access,
                refresh_token=timerex_pair.refresh,
                webhook_header=webhook.header,
                webhook_token=webhook.token,
                calendar_id=timerex.calendar.id,
            ),
            ControlInfo(base_url=f"{root}/control", token=self.control_token),
        )


def sandbox_app(sandbox: Sandbox, drop: Callable[[Scope], None]) -> Starlette:
    """Make the application of both services and the control API.

    Args:
        sandbox: State of both services.
        drop: Cuts the connection of a call.
    """
    routes = [
        _mount("/ghl", ghl_router(sandbox.ghl, drop)),
        _mount("/timerex/api/beta", timerex_router(sandbox.timerex, drop)),
        _mount("/timerex", pages_router(sandbox.timerex, drop)),
        _mount("/control", control_app(sandbox.ghl, sandbox.timerex, sandbox.control_token)),
    ]
    return Starlette(routes=routes)


def _mount(path: str, app: ASGIApp) -> Mount:
    """Put an application below a path, whatever the rest of the path contains.

    Starlette's own pattern ends at a line feed (`%0A`), and its 404 is not the service's.
    """
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def listen(port: int) -> socket.socket:
    """Listen on a loopback port; 0 picks a free one.

    The protocol is named, unlike in `socket.create_server`: asyncio switches Nagle's delay off
    only where it is, and every answer would be 40 ms late.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((HOST, port))
    except OSError:
        opened.close()
        raise
    return opened


class SandboxServer(uvicorn.Server):
    """A server that stops at once, leaves signals alone, and can drop a connection."""

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        self.sandbox = sandbox
        self.socket = listen(port)
        self.info = sandbox.info(f"http://{HOST}:{self.socket.getsockname()[1]}")
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        config = uvicorn.Config(
            sandbox_app(sandbox, self.drop),
            http=H11Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # dropped connections are intended
            access_log=False,
        )
        super().__init__(config)

    async def run_until_stopped(self) -> None:
        """Serve until `stop`."""
        try:
            await self.serve([self.socket])
        finally:
            self.ready.set()  # the waiting caller then gets the error
            await self.sandbox.ghl.deliveries.close()
            await self.sandbox.timerex.deliveries.close()

    async def main_loop(self) -> None:
        """Wait for an event, instead of polling ten times a second."""
        self.ready.set()
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything at once; running calls are cut."""
        for server in self.servers:
            server.close()
        for connection in [*self.server_state.connections]:
            connection.transport.abort()
        for opened in sockets or ():
            opened.close()

    def stop(self) -> None:
        """Stop serving."""
        self.stopping.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the caller."""
        yield

    def drop(self, scope: Scope) -> None:
        """Cut the connection of a call, as a network does."""
        for connection in [*self.server_state.connections]:
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.abort()


@asynccontextmanager
async def running_sandbox(clock: MachineClock | None = None) -> AsyncGenerator[SandboxInfo]:
    """Serve a sandbox on a free port, in a thread of its own.

    A thread, so that it answers while the caller's event loop is busy or blocked.
    """
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[tuple[SandboxServer, asyncio.AbstractEventLoop]] = loop.create_future()

    async def serve() -> None:
        server = SandboxServer(Sandbox(clock or MachineClock()), 0)
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        loop.call_soon_threadsafe(begun.set_result, (server, asyncio.get_running_loop()))
        await serving

    thread = asyncio.ensure_future(asyncio.to_thread(asyncio.run, serve()))
    await asyncio.wait([thread, begun], return_when=asyncio.FIRST_COMPLETED)
    if not begun.done():
        await thread  # raises the thread's error
    server, its_loop = begun.result()
    try:
        yield server.info
    finally:
        its_loop.call_soon_threadsafe(server.stop)
        await thread


async def run_sandbox(port: int, *, as_json: bool) -> None:
    """Print where the sandbox answers, then serve until SIGTERM or SIGINT."""
    try:
        server = SandboxServer(Sandbox(), port)
    except OSError as error:
        raise SystemExit(f"timerex-ghl: port {port} cannot be used: {error.strerror}") from None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows has no such handlers
            loop.add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    text = to_json(server.info.as_json()).decode() if as_json else server.info.as_text()
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    await serving
