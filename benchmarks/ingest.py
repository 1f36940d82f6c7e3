"""Speed and losses of the gateway, with signed webhooks of both services.

200 a second for a minute, while the live worker syncs the events to a CRM, with Prefect on the same
cores; then 1,000 a second for ten seconds. Sent by a process of its own; latency counts from when
a webhook was due.

python -m benchmarks.ingest [--rounds N] [--steady-s SECONDS] [--burst-s SECONDS] [--alone]
"""

import argparse
import asyncio
import base64
import json
import secrets
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from benchmarks.full_stack import start_whole
from benchmarks.harness import ledger_url, machine, say, started_sandbox
from tests.gateway.given import ENDPOINT, TOKEN, public_key_of, settings_with
from tests.gateway.load import LoadOrder
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.processes import Programs

GOAL_P99_MS = 100.0


@asynccontextmanager
async def started_gateway(url: str) -> AsyncGenerator[str]:
    """Run the gateway on a ledger; return its URL."""
    command = ("-m", "timerex_ghl", "gateway", "--port", "0", "--json", "--ledger", url)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE)
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    try:
        yield json.loads(await process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        await process.wait()


class LoadReceiver(NamedTuple):
    """Where to send, with the credentials."""

    base_url: str
    endpoint: str
    token: str
    location_id: str


async def send(endpoint: LoadReceiver, key: Ed25519PrivateKey, **order: Any) -> dict[str, Any]:
    """Send from a process of its own; return its figures."""
    address = urlsplit(endpoint.base_url)
    full = LoadOrder(
        host=address.hostname or "",
        port=address.port or 0,
        signing_key=base64.b64encode(key.private_bytes_raw()).decode(),
        location_id=endpoint.location_id,
        endpoint=endpoint.endpoint,
        token=endpoint.token,
        **order,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.load", full.as_argument(), stdout=PIPE
    )
    out, _ = await process.communicate()
    return json.loads(out)


def stored_keys(tx: Connection) -> list[str]:
    """Return the inbox's key of each delivery: GHL's key, TimeRex's id."""
    rows = tx.execute(text("SELECT source, dedupe_key FROM inbox"))
    return [key if source == "ghl" else key.partition(":")[0] for source, key in rows]


def count_handled(tx: Connection) -> int:
    """Count the events that the live worker has finished."""
    return tx.execute(text("SELECT count(*) FROM inbox WHERE state <> 'waiting'")).scalar_one()


async def measure(folder: Path, name: str, rate: int, seconds: float, *, live: bool) -> None:
    """Send at a rate into a new ledger; print the figures, and what was lost."""
    key, keys_file = Ed25519PrivateKey.generate(), folder / f"{name}.json"
    url, public_key = ledger_url(str(folder), name), public_key_of(key)
    async with open_ledger(url) as ledger, AsyncExitStack() as stack:
        if live:
            endpoint = await _start_all(stack, url, public_key)
        else:
            settings = settings_with(TOKEN, keys=(public_key,))
            await ledger.write(published.publish, settings, now=datetime.now(UTC))
            base_url = await stack.enter_async_context(started_gateway(url))
            endpoint = LoadReceiver(base_url, ENDPOINT, TOKEN, settings.ghl.location_id)
        order = {"rate": rate, "seconds": seconds, "keys_file": str(keys_file)}
        figures = await send(endpoint, key, **order, prefix=secrets.token_hex(4))
        handled = await ledger.read(count_handled)
        stored = await ledger.read(stored_keys)
    acked = json.loads(keys_file.read_text())["acked"]
    statuses = figures["statuses"]
    say(
        benchmark="intake",
        part=name,
        rate=rate,
        seconds=seconds,
        **figures,
        acked=len(acked),
        stored=len(stored),
        handled_meanwhile=handled,
        lost=len({*acked} - {*stored}),
        doubled=len(stored) - len({*stored}),
        other_answers=sum(n for status, n in statuses.items() if status not in {"200", "429"}),
        goal_p99_ms=GOAL_P99_MS if rate == STEADY else None,
        **machine(),
    )


async def _start_all(stack: AsyncExitStack, url: str, public_key: str) -> LoadReceiver:
    """Run a CRM, Prefect, the gateway and the live worker."""
    stand = await stack.enter_async_context(started_sandbox())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    programs = Programs(folder)
    stack.push_async_callback(programs.stop)
    whole = await start_whole(stack, programs, folder, stand.info.ghl, public_key, ledger_url=url)
    return LoadReceiver(whole.gateway, whole.endpoint, whole.token, stand.info.ghl.location_id)


STEADY, BURST = 200, 1000


async def main(rounds: int, steady_s: float, burst_s: float, *, live: bool) -> None:
    """Measure `rounds` times, each time into new ledgers."""
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            await measure(Path(name), f"steady-{number}", STEADY, steady_s, live=live)
            await measure(Path(name), f"burst-{number}", BURST, burst_s, live=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steady-s", type=float, default=60)
    parser.add_argument("--burst-s", type=float, default=10)
    parser.add_argument("--alone", action="store_true", help="without the live worker")
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.steady_s, options.burst_s, live=not options.alone))
