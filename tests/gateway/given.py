"""What the gateway's tests start from: one published connection, and a client at its door."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from timerex_ghl.adapters.ledger import published
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.gateway.app import build_gateway
from timerex_ghl.sync.models import ConnectionName, LocationId
from timerex_ghl.sync.settings import (
    GHL_WEBHOOK_KEY,
    ConnectionSettings,
    GhlSettings,
    TimerexSettings,
)

DOOR = "d00r5f1c9a7be2d44c86"
TOKEN = "canary-token-" + "b7f1" * 8
NAME = ConnectionName("aoba")


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Write a key's public half as GHL prints its own."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


def settings_with(
    *tokens: str,
    name: ConnectionName = NAME,
    door: str = DOOR,
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
            door=door,
            header="x-timerex-authorization",
            token_digests=tuple(hashlib.sha256(token.encode()).hexdigest() for token in tokens),
        ),
        region="JP",
        rules=(),
    )


async def publish(ledger: Ledger, settings: ConnectionSettings) -> None:
    await ledger.write(published.publish, settings, now=datetime.now(UTC), by="test")


def client_of(ledger: Ledger) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_gateway(ledger), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://door.example")
