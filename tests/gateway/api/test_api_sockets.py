"""The API of the real gateway process, over sockets."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.gateway.api.given import CALL, RIKU, at, events_of, new_token
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import Ledger

LIVES = 8
GUARD_S = 180
"""Timeout for hanging tests; nothing takes nearly as long."""


@asynccontextmanager
async def serving(url: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timerex_ghl", "gateway", "--port", "0", "--json", "--ledger", url,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(GUARD_S):
            said = await process.stdout.readline()
        assert said, f"the gateway ended with {process.returncode} before it was ready"
        yield process, json.loads(said)["base_url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def client_at(base_url: str, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        base_url=f"{base_url}/api/v1", headers=headers, timeout=GUARD_S, verify=NO_TLS
    )


async def test_a_contact_is_made_changed_and_deleted(ledger: Ledger, ledger_url: str) -> None:
    token = await new_token(ledger)
    async with serving(ledger_url) as (process, url), client_at(url, token) as api:
        made = await api.post("/contacts", json=RIKU, headers={"idempotency-key": "1"})
        where = f"/contacts/{made.json()['id']}"
        changed = await api.patch(where, json={"city": "Aoba"}, headers=at(1))
        deleted = await api.delete(where, headers=at(2))
        too_long = await api.post("/contacts", content=_too_long(), headers=JSON)
        process.send_signal(signal.SIGTERM)
        await process.wait()

    answered = [answer.status_code for answer in (made, changed, deleted, too_long)]
    assert answered == [201, 200, 204, 413]
    assert process.returncode == 0


JSON = {"content-type": "application/json"}


async def _too_long() -> AsyncGenerator[bytes]:
    """One byte too many, in chunks: all is read before it is refused."""
    for _ in range(4):
        yield b" " * 64 * 1024
    yield b" "


@pytest.mark.slow
async def test_what_was_acknowledged_survives_kill_9_and_repeating_makes_nothing_twice(
    ledger: Ledger, ledger_url: str
) -> None:
    """The client repeats every unanswered request with its key until it gets an answer."""
    token = await new_token(ledger)
    acknowledged: dict[int, str] = {}
    for life in range(LIVES):
        async with serving(ledger_url) as (process, url), client_at(url, token) as api:
            numbers = range(life * 4, life * 4 + 12)
            sending = [asyncio.create_task(_book(api, n, acknowledged)) for n in numbers]
            await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            process.kill()
            await asyncio.gather(*sending)
    async with serving(ledger_url) as (_, url), client_at(url, token) as api:
        await asyncio.gather(*(_book(api, n, acknowledged) for n in range(LIVES * 4 + 8)))
        listed = (await api.get("/bookings", params={"limit": 200})).json()["items"]

    assert sorted(one["id"] for one in listed) == sorted(acknowledged.values())
    assert len(listed) == LIVES * 4 + 8
    assert {event[2] for event in await events_of(ledger)} == {
        f"booking:{booking_id}" for booking_id in acknowledged.values()
    }


async def _book(api: httpx.AsyncClient, number: int, acknowledged: dict[int, str]) -> None:
    body = {**CALL, "guest_name": f"Guest {number}"}
    try:
        answer = await api.post("/bookings", json=body, headers={"idempotency-key": str(number)})
    except httpx.TransportError:
        return
    assert answer.status_code == 201
    assert acknowledged.setdefault(number, answer.json()["id"]) == answer.json()["id"]
