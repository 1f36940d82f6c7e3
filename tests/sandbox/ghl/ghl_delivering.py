"""A GHL app with a webhook, and helpers for its deliveries."""

import asyncio
import base64
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.receiver import Receiver
from tests.sandbox.calling import SandboxCaller

ENDPOINT = "/webhooks/ghl"


class GhlApp:
    """The app: its webhook endpoint, its public key, and the sandbox's control API."""

    def __init__(self, sandbox: SandboxCaller, endpoint: Receiver, key: str) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.key = key

    async def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        return await self.sandbox.control(method, f"/ghl{path}", **body)

    async def set_webhook(self, **changes: Any) -> dict[str, Any]:
        return await self.control("POST", "/webhook", **changes)

    async def goes_wrong(self, kind: str, **order: Any) -> None:
        await self.control("POST", "/webhook/faults", kind=kind, **order)

    async def emit(self, count: int = 1, type_: str = "ContactUpdate") -> None:
        """Send events with the ids e0, e1, e2..."""
        for number in range(count):
            fields = {"id": f"e{number}"}
            await self.control("POST", "/deliveries", type=type_, fields=fields)

    async def deliveries(self) -> list[dict[str, Any]]:
        return (await self.control("GET", "/deliveries"))["deliveries"]

    async def wait_for_states(self, *states: str) -> list[dict[str, Any]]:
        """Wait until the deliveries are in these states, in the order they were made."""
        found: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(60):
                while [one["state"] for one in found] != [*states]:
                    await asyncio.sleep(0.01)
                    found = await self.deliveries()
        except TimeoutError:
            raise AssertionError([one["state"] for one in found]) from None
        return found

    def received(self) -> list[str]:
        """Return the ids of the events that arrived, in order."""
        return [body["id"] for body in self.endpoint.bodies]

    def is_signed(self, number: int = -1) -> bool:
        """Verify a delivery's signature, over the exact bytes."""
        key = load_der_public_key(base64.b64decode(self.key))
        assert isinstance(key, Ed25519PublicKey)
        shown = self.endpoint.headers(number).get("x-ghl-signature", "")
        try:
            key.verify(base64.b64decode(shown), self.endpoint.raw[number])
        except (InvalidSignature, ValueError):
            return False
        return True
