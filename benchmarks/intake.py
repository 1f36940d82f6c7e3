"""Webhooks of both services into the gateway, signed for real: how fast, and is any of them lost?

200 a second for a minute, then 1,000 a second for ten seconds; sent by a process of its own, each
counted from when it was due.

python -m benchmarks.intake [--rounds N] [--steady-s SECONDS] [--burst-s SECONDS]
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
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from benchmarks.stand import ledger_url, machine, say
from tests.gateway.given import DOOR, TOKEN, public_key_of, settings_with
from tests.gateway.load import Order
from timerex_ghl.adapters.ledger import published
from timerex_ghl.adapters.ledger.core import open_ledger

GOAL_P99_MS = 100.0


@asynccontextmanager
async def started_gateway(url: str) -> AsyncGenerator[str]:
    """Run the gateway on a ledger; give its address."""
    command = ("-m", "timerex_ghl", "gateway", "--port", "0", "--json", "--ledger", url)
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE)
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    try:
        yield json.loads(await process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        await process.wait()


async def send(base_url: str, key: Ed25519PrivateKey, **order: Any) -> dict[str, Any]:
    """Send as ordered, from a process of its own; give its figures."""
    address = urlsplit(base_url)
    full = Order(
        host=address.hostname or "",
        port=address.port or 0,
        signing_key=base64.b64encode(key.private_bytes_raw()).decode(),
        location_id=settings_with(TOKEN).ghl.location_id,
        door=DOOR,
        token=TOKEN,
        **order,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.load", full.as_argument(), stdout=PIPE
    )
    out, _ = await process.communicate()
    return json.loads(out)


def stored_keys(tx: Connection) -> list[str]:
    """Give what the inbox knows each delivery by: GHL's key, TimeRex's id."""
    rows = tx.execute(text("SELECT source, dedupe_key FROM inbox"))
    return [key if source == "ghl" else key.partition(":")[0] for source, key in rows]


async def measure(folder: str, name: str, rate: int, seconds: float) -> None:
    """Send at a rate into a new ledger; print the figures, and what was lost."""
    key, keys_file = Ed25519PrivateKey.generate(), Path(folder) / f"{name}.json"
    url = ledger_url(folder, name)
    async with open_ledger(url) as ledger:
        settings = settings_with(TOKEN, keys=(public_key_of(key),))
        await ledger.write(published.publish, settings, now=datetime.now(UTC), by="benchmark")
        async with started_gateway(url) as base_url:
            # Here --live starts `timerex-ghl live` on the same ledger, so that it drains meanwhile.
            order = {"rate": rate, "seconds": seconds, "keys_file": str(keys_file)}
            figures = await send(base_url, key, **order, prefix=secrets.token_hex(4))
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
        lost=len({*acked} - {*stored}),
        doubled=len(stored) - len({*stored}),
        other_answers=sum(n for status, n in statuses.items() if status not in {"200", "429"}),
        goal_p99_ms=GOAL_P99_MS if rate == STEADY else None,
        **machine(),
    )


STEADY, BURST = 200, 1000


async def main(rounds: int, steady_s: float, burst_s: float) -> None:
    """Measure as often as asked, each time into new ledgers."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            await measure(folder, f"steady-{number}", STEADY, steady_s)
            await measure(folder, f"burst-{number}", BURST, burst_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steady-s", type=float, default=60)
    parser.add_argument("--burst-s", type=float, default=10)
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.steady_s, options.burst_s))
