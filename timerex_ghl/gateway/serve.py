"""The gateway as a process."""

import signal
import socket
import threading
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager

import uvicorn

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.gateway.app import build_gateway
from timerex_ghl.gateway.limits import DEFAULT_LIMITS, GatewayLimits
from timerex_ghl.gateway.protocol import protocol_with

_IDLE_S = 75  # longer than proxies keep a connection, so no request hits a closed one


async def run_gateway(
    ledger_url: str,
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    hosts: Collection[str] = (),
    limits: GatewayLimits = DEFAULT_LIMITS,
) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are answered first.

    Args:
        ledger_url: SQLAlchemy URL of the ledger.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        on_ready: Called with the gateway's URL once it accepts requests.
        hosts: Allowed host names; empty allows all.
        limits: Limits and deadlines.

    Raises:
        SettingsError: The ledger or the address is not usable, or a connection has no key.
    """
    with _listen(host, port) as listener:
        url_host = f"[{host}]" if ":" in host else host
        url = f"http://{url_host}:{listener.getsockname()[1]}"
        async with open_ledger(ledger_url) as ledger:
            await _check_keys(ledger)
            config = uvicorn.Config(
                build_gateway(ledger, hosts=hosts, limits=limits),
                http=protocol_with(limits),  # on h11, the one HTTP parser we test with
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # its lines would contain the endpoints' secret names
                server_header=False,
                timeout_keep_alive=_IDLE_S,
                timeout_graceful_shutdown=20,
            )
            await _Server(config, lambda: on_ready(url)).serve(sockets=[listener])


async def _check_keys(ledger: Ledger) -> None:
    """Refuse to serve a connection whose senders cannot be authenticated."""
    for version in await ledger.read(published.all_published):
        settings = version.settings
        if not settings.ghl.webhook_keys:
            missing = "public key of GHL's webhooks"
        elif not settings.timerex.token_digests:
            missing = "token of TimeRex's webhooks"
        else:
            continue
        raise SettingsError(
            f"connection {settings.name} has no {missing}: enter it in its block, and publish again"
        )


def _listen(host: str, port: int) -> socket.socket:
    """Bind and listen on the address.

    The protocol is given, unlike in `socket.create_server`: only then does asyncio disable Nagle's
    algorithm, without which answers are not 40 ms late.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(2048)
    except OSError as error:
        opened.close()
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({error.strerror}): choose another --port"
        ) from error
    return opened


class _Server(uvicorn.Server):
    """Calls `on_ready` when ready, and does not raise the signal again at the end."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on a signal. Uvicorn would raise it again before the ledger is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
