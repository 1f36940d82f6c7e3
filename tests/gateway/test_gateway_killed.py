"""The gateway is killed again and again under load: what was acknowledged is there, once."""

import asyncio
import base64
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.gateway.ghl_sender import KEY, PUBLIC
from tests.gateway.given import DOOR, TOKEN, publish, settings_with
from tests.gateway.load import Order
from timerex_ghl.adapters.ledger.core import Ledger

KILLS, RATE, SECONDS = 25, 20, 25.0


async def start_gateway(ledger_url: str, port: int) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timerex_ghl", "gateway", "--port", str(port), "--json",
        "--ledger", ledger_url, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline()
    return process


async def start_load(port: int, keys_file: Path) -> Process:
    order = Order(
        host="127.0.0.1",
        port=port,
        rate=RATE,
        seconds=SECONDS,
        signing_key=base64.b64encode(KEY.private_bytes_raw()).decode(),
        location_id="loc1",
        door=DOOR,
        token=TOKEN,
        keys_file=str(keys_file),
        repeats=30,
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.load", order.as_argument(), stdout=PIPE
    )


def keys_of(tx: Connection) -> list[str]:
    """Give what each delivery is known by: GHL's key, TimeRex's id."""
    rows = tx.execute(text("SELECT source, dedupe_key FROM inbox"))
    return [key if source == "ghl" else key.partition(":")[0] for source, key in rows]


@pytest.mark.soak
async def test_killed_25_times_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gateway = await start_gateway(ledger_url, port)
    load = await start_load(port, tmp_path / "keys.json")
    try:
        for kill in range(KILLS):
            await asyncio.sleep(0.05 + kill % 5 * 0.1)
            gateway.kill()
            await gateway.wait()
            gateway = await start_gateway(ledger_url, port)
        out, _ = await asyncio.wait_for(load.communicate(), timeout=80)
    finally:
        for process in (gateway, load):
            if process.returncode is None:
                process.kill()
                await process.wait()

    figures = json.loads(out)
    keys = json.loads(await asyncio.to_thread((tmp_path / "keys.json").read_text))
    stored = await ledger.read(keys_of)
    assert {*figures["statuses"]} - {"200", "429"}, "some were cut off"
    assert {*keys["acked"]} - {*stored} == set()
    assert len(stored) == len({*stored})
    assert {*keys["acked"]} == {*keys["sent"]}, "every one was repeated until it was taken"
