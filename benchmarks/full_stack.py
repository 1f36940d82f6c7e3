"""Start all programs, a process each: Prefect server, gateway, live worker; one connection."""

import secrets
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import GHLCredentials, LedgerStore, TimeRexCredentials
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.environment import start_prefect, wait_for
from timerex_ghl.demo.processes import Programs
from timerex_ghl.domain.connections.settings import (
    GHL_WEBHOOK_KEY,
    ConnectionSettings,
    GhlSettings,
    TimerexSettings,
)
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.models import ConnectionName, LocationId
from timerex_ghl.sandbox.info import GhlInfo

NAME = ConnectionName("bench")
TIMEREX_HEADER = "x-timerex-authorization"


class Whole(NamedTuple):
    """The running programs. `gateway`: its URL; `endpoint`, `token`: of TimeRex's webhooks."""

    ledger_url: str
    gateway: str
    endpoint: str
    token: str

    @property
    def timerex_url(self) -> str:
        """Return the URL of TimeRex's webhook."""
        return f"{self.gateway}/webhooks/timerex/{self.endpoint}"


async def start_whole(
    stack: AsyncExitStack,
    programs: Programs,
    folder: Path,
    ghl: GhlInfo,
    *webhook_keys: str,
    ledger_url: str | None = None,
) -> Whole:
    """Start everything, without rate limiter and TimeRex API key.

    Args:
        stack: Closes opened clients.
        programs: The processes; the caller stops them.
        folder: For Prefect's files, and the ledger unless `ledger_url` is given.
        ghl: The CRM.
        webhook_keys: Public keys of GHL's webhooks; none: GHL's own.
        ledger_url: SQLAlchemy URL of the ledger.
    """
    url = ledger_url or f"sqlite:///{folder / 'ledger.db'}"
    prefect, environment, server = await start_prefect(folder, programs, stack)
    await wait_for(prefect, server)
    endpoint, token = await _publish(prefect.url, url, ghl, webhook_keys)
    own = [sys.executable, "-m", "timerex_ghl"]
    gateway = await programs.start(
        "gateway", [*own, "gateway", "--port", "0", "--ledger", url, "--json"], environment
    )
    live = await programs.start("live", [*own, "live", "--json"], environment)
    root = (await gateway.first_line(30))["base_url"]
    await live.first_line(60)
    return Whole(url, root, endpoint, token)


async def _publish(
    prefect_url: str, ledger_url: str, ghl: GhlInfo, keys: tuple[str, ...]
) -> tuple[str, str]:
    """Save the blocks, and publish a connection; return its endpoint, and TimeRex's token."""
    token, endpoint = secrets.token_hex(32), secrets.token_hex(16)
    timerex = TimeRexCredentials(webhook_token=token)  # type: ignore[arg-type]
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        await LedgerStore(url=ledger_url).asave("ledger")  # type: ignore[arg-type]
        await GHLCredentials(private_token=ghl.private_token).asave(NAME)  # type: ignore[arg-type]
        await timerex.asave(NAME)
    settings = ConnectionSettings(
        name=NAME,
        ghl=GhlSettings(
            location_id=LocationId(ghl.location_id),
            base_url=ghl.base_url,
            token_url=ghl.token_url,
            app_url=ghl.base_url,
            credentials=NAME,
            auth="private-token",
            scopes=frozenset(["contacts.readonly", "contacts.write", "locations.readonly"]),
            calls_per_10_s=None,
            webhook_keys=keys or (GHL_WEBHOOK_KEY,),
        ),
        timerex=TimerexSettings(
            credentials=NAME,
            endpoint=endpoint,
            header=TIMEREX_HEADER,
            token_digests=timerex.token_digests(),
        ),
        region="JP",
        rules=DEFAULT_RULES,
    )
    async with open_ledger(ledger_url) as ledger:
        await ledger.write(published.publish, settings, now=datetime.now(UTC))
    return endpoint, token
