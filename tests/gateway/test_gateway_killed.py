"""kill -9 of the gateway under load, and a storm: each acknowledged delivery is stored once."""

import asyncio
import base64
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.gateway.given import ENDPOINT, TOKEN, publish, settings_with
from tests.gateway.load import LoadOrder
from tests.gateway.webhooks.ghl_sender import KEY, PUBLIC
from timerex_ghl.adapters.ledger.db.core import Ledger

KILLS, RATE, MOST_S = 25, 25, 240.0
START_S = 180.0
"""Timeout for a gateway that never starts or ends; nothing takes nearly as long."""


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


async def kill_and_start(nursery: Process) -> None:
    """Kill the running gateway, start the next, and wait until it is ready."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(b"one more\n")
    async with asyncio.timeout(START_S):
        said = await nursery.stdout.readline()
    assert said == b"ready\n", f"the gateway did not start, and said {said!r}"


async def kill_the_last(nursery: Process) -> None:
    assert nursery.stdin is not None
    nursery.stdin.close()
    assert await asyncio.wait_for(nursery.wait(), timeout=START_S) == 0, "each died of its kill"


def order_to(port: int, keys_file: Path, *, rate: int = RATE, seconds: float = MOST_S) -> LoadOrder:
    return LoadOrder(
        host="127.0.0.1",
        port=port,
        rate=rate,
        seconds=seconds,
        signing_key=base64.b64encode(KEY.private_bytes_raw()).decode(),
        location_id="loc1",
        endpoint=ENDPOINT,
        token=TOKEN,
        keys_file=str(keys_file),
        repeats=100,
        patience_s=500,
    )


def count(tx: Connection) -> int:
    return tx.execute(text("SELECT count(*) FROM inbox")).scalar_one()


def keys_of(tx: Connection) -> list[str]:
    """Return the key of each delivery: GHL's key, TimeRex's id."""
    rows = tx.execute(text("SELECT source, dedupe_key FROM inbox"))
    return [key if source == "ghl" else key.partition(":")[0] for source, key in rows]


async def more_is_stored(ledger: Ledger) -> None:
    """Wait until the gateway has stored an event: it is under load then."""
    before, tries = await ledger.read(count), 0
    while await ledger.read(count) == before:
        tries += 1
        assert tries < 6_000, "nothing was stored for a minute"
        await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_killed_25_times_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,)))
    port = free_port()
    keys_file = tmp_path / "keys.json"
    async with (
        running("tests.gateway.nursery", ledger_url, str(port)) as nursery,
        running("tests.gateway.load", order_to(port, keys_file).as_argument()) as load,
    ):
        await kill_and_start(nursery)
        for kill in range(KILLS):
            await more_is_stored(ledger)
            await asyncio.sleep(kill % 5 * 0.05)
            await kill_and_start(nursery)
        assert load.returncode is None, "it sent until the last kill"
        load.terminate()  # nothing new is sent; unacknowledged deliveries are repeated
        out, _ = await asyncio.wait_for(load.communicate(), timeout=1200)
        await kill_the_last(nursery)

    figures, keys = json.loads(out), json.loads(await asyncio.to_thread(keys_file.read_text))
    stored = await ledger.read(keys_of)
    assert {*figures["statuses"]} - {"200", "429"}, "some were cut off"
    assert {*keys["acked"]} - {*stored} == set()
    assert len(stored) == len({*stored})
    assert {*keys["acked"]} == {*keys["sent"]} == {*stored}, "each was sent until it was taken"


@pytest.mark.slow
async def test_ten_thousand_in_ten_seconds_are_taken_or_asked_to_retry_and_none_is_lost(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,)))
    port, keys_file = free_port(), tmp_path / "keys.json"
    order = order_to(port, keys_file, rate=1000, seconds=10)
    async with running("tests.gateway.nursery", ledger_url, str(port)) as nursery:
        await kill_and_start(nursery)
        async with running("tests.gateway.load", order.as_argument()) as load:
            out, _ = await asyncio.wait_for(load.communicate(), timeout=1200)
        await kill_the_last(nursery)

    figures, keys = json.loads(out), json.loads(await asyncio.to_thread(keys_file.read_text))
    stored = await ledger.read(keys_of)
    assert {*figures["statuses"]} <= {"200", "429"}, figures
    assert len(stored) == len({*stored}) == 10_000
    assert {*keys["acked"]} == {*keys["sent"]} == {*stored}, "each was sent until it was taken"
