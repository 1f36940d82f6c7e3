"""Helpers that set up the gateway's tests: one published connection, and a client."""

import asyncio
import base64
import hashlib
import os
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.connections.settings import (
    GHL_WEBHOOK_KEY,
    ConnectionSettings,
    GhlSettings,
    TimerexSettings,
)
from timerex_ghl.domain.shared.models import ConnectionName, LocationId
from timerex_ghl.gateway.app import build_gateway
from timerex_ghl.gateway.limits import GatewayLimits
from timerex_ghl.gateway.serve import run_gateway

ENDPOINT = "d00r5f1c9a7be2d44c86"
TOKEN = "canary-token-" + "b7f1" * 8
NAME = ConnectionName("aoba")
PATIENT = GatewayLimits(
    head_deadline_s=120,
    body_deadline_s=120,
    ledger_deadline_s=120,
    api_ledger_deadline_s=120,
)
"""Deadlines that no loaded machine reaches, for tests that are not about deadlines."""


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Return a public key in GHL's printed form."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


def settings_with(
    *tokens: str,
    name: ConnectionName = NAME,
    endpoint: str = ENDPOINT,
    location: str = "loc1",
    keys: tuple[str, ...] = (GHL_WEBHOOK_KEY,),
    **ghl: Any,
) -> ConnectionSettings:
    return ConnectionSettings(
        name=name,
        ghl=GhlSettings(
            location_id=LocationId(location),
            webhook_keys=keys,
            base_url="https://ghl.example",
            token_url="https://ghl.example/oauth/token",
            app_url="https://app.ghl.example",
            credentials="aoba-ghl",
            auth="private-token",
            scopes=frozenset({"contacts.write"}),
            **ghl,
        ),
        timerex=TimerexSettings(
            credentials="aoba-timerex",
            endpoint=endpoint,
            header="x-timerex-authorization",
            token_digests=tuple(hashlib.sha256(token.encode()).hexdigest() for token in tokens),
        ),
        region="JP",
        rules=(),
    )


async def publish(ledger: Ledger, settings: ConnectionSettings) -> None:
    await ledger.write(published.publish, settings, now=datetime.now(UTC))


@asynccontextmanager
async def locked(ledger_url: str) -> AsyncGenerator[None]:
    """Take the ledger's write lock, as another process in the middle of a write does."""
    is_blocked, may_end = threading.Event(), threading.Event()

    def block(_: Connection) -> None:
        is_blocked.set()
        may_end.wait()

    async with open_ledger(ledger_url) as other:
        blocking = asyncio.create_task(other.write(block))
        try:
            await asyncio.to_thread(is_blocked.wait)
            yield
        finally:
            may_end.set()
            await blocking


@asynccontextmanager
async def serving(ledger_url: str, limits: GatewayLimits = PATIENT) -> AsyncGenerator[str]:
    """Serve the gateway on a real socket in this process, until SIGTERM; yield its URL."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_gateway(ledger_url, host="127.0.0.1", port=0, on_ready=ready.set_result, limits=limits)
    )
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    try:
        if running.done():
            await running  # raises its error
        yield await ready
    finally:
        if not running.done():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(running, timeout=60)


def client_of(ledger: Ledger, limits: GatewayLimits = PATIENT) -> httpx.AsyncClient:
    app = build_gateway(ledger, limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.example")
