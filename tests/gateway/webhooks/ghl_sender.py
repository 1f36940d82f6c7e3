"""GHL as a sender: signed deliveries."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, text

from tests.gateway.given import public_key_of
from timerex_ghl.adapters.ledger.db.core import Ledger

PATH = "/webhooks/ghl"
KEY, SANDBOX_KEY, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))
OLDER_KEY: RSAPrivateKey = generate_private_key(65537, 2048)
PUBLIC, SANDBOX_PUBLIC = public_key_of(KEY), public_key_of(SANDBOX_KEY)
OLDER_PUBLIC = base64.b64encode(
    OLDER_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
JSON = {"content-type": "application/json"}


def update(*, age: timedelta = timedelta(), **changed: Any) -> bytes:
    """A `ContactUpdate`; None omits a key."""
    made = {
        "type": "ContactUpdate",
        "locationId": "loc1",
        "id": "con1",
        "webhookId": "w1",
        "timestamp": (datetime.now(UTC) - age).isoformat(),
        **changed,
    }
    return json.dumps({key: value for key, value in made.items() if value is not None}).encode()


def signed(body: bytes, key: Ed25519PrivateKey = KEY) -> str:
    return base64.b64encode(key.sign(body)).decode()


def signed_as_before(body: bytes) -> str:
    return base64.b64encode(OLDER_KEY.sign(body, PKCS1v15(), SHA256())).decode()


async def post(
    http: httpx.AsyncClient, body: bytes, key: Ed25519PrivateKey = KEY
) -> httpx.Response:
    return await post_with(http, body, {"x-ghl-signature": signed(body, key)})


async def post_with(
    http: httpx.AsyncClient, body: bytes, proof: dict[str, str] | list[tuple[str, str]]
) -> httpx.Response:
    pairs = [*proof.items()] if isinstance(proof, dict) else proof
    return await http.post(PATH, content=body, headers=[*JSON.items(), *pairs])


async def stored(ledger: Ledger) -> list[tuple[str, str, str, str | None]]:
    """Return connection, type, state and note of all stored events, in order."""

    def read(tx: Connection) -> list[tuple[str, str, str, str | None]]:
        rows = tx.execute(text("SELECT connection, type, state, error FROM inbox ORDER BY seq"))
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    return await ledger.read(read)
