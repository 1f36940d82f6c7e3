"""An open-loop load, as a process: webhooks of both services at a fixed rate.

python -m tests.gateway.load ORDER

A request's latency counts from when it was due, so that a slow answer cannot hide later ones. It
prints one line of JSON, and writes the `keys` of sent and acknowledged deliveries to the order's
file. After SIGTERM it sends no new ones, but still repeats unacknowledged ones.
"""

import asyncio
import base64
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.adapters.timerex.deliveries import CONFIRMED, body_of

LONGEST_PAUSE_S = 4
"""Seconds between two attempts of a delivery."""


@dataclass(frozen=True)
class LoadOrder:
    """What to send, and where to.

    Attributes:
        signing_key: Ed25519, raw, base64.
        endpoint: Name of TimeRex's endpoint.
        keys_file: File for the keys of sent and acknowledged deliveries.
        repeats: How often a delivery without an acknowledgement is sent again: after a second, then
            after twice as long each time. Without that a slow gateway does nothing but refuse.
        patience_s: How long to wait for an answer; TimeRex waits 15 s.
    """

    host: str
    port: int
    rate: int
    seconds: float
    signing_key: str
    location_id: str
    endpoint: str
    token: str
    keys_file: str
    repeats: int = 0
    prefix: str = "load"
    patience_s: float = 15.0

    def as_argument(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class LoadDelivery:
    """One delivery. `key`: its key in the inbox."""

    key: str
    request: bytes


@dataclass
class LoadFigures:
    """The result of a delivery."""

    took_ms: list[float] = field(default_factory=list[float])
    statuses: Counter[str] = field(default_factory=Counter[str])
    acked: list[str] = field(default_factory=list[str])

    def summary(self) -> dict[str, Any]:
        times = sorted(self.took_ms) or [0.0]
        shares = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
        return {
            **{name: round(times[int(len(times) * share)], 1) for name, share in shares.items()},
            "max_ms": round(times[-1], 1),
            "statuses": dict(sorted(self.statuses.items())),
        }


def contact_update(order: LoadOrder, number: int) -> dict[str, Any]:
    """A contact in GHL's webhook form, 1.5 KB."""
    return {
        "type": "ContactUpdate",
        "locationId": order.location_id,
        "id": f"{order.prefix}Contact{number}",
        "firstName": "Riku",
        "lastName": "Sato",
        "email": f"riku.sato.{number}@hinode.example",
        "phone": "+819012345602",
        "city": "Osaka",
        "tags": ["timerex booked", "newsletter"],
        "customFields": [{"id": f"field{index}", "value": "x" * 60} for index in range(10)],
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "webhookId": f"{order.prefix}-{number}",
        "appId": "load",
        "versionId": "load",
    }


def prepare(order: LoadOrder) -> list[LoadDelivery]:
    """Build and sign all deliveries before the clock starts, alternating between the services."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(order.signing_key))
    made: list[LoadDelivery] = []
    for number in range(int(order.rate * order.seconds)):
        if number % 2:
            event_id = f"{order.prefix}{number}"
            guest = {"field_type": "guest_email", "value": f"{event_id}@load.example"}
            body = body_of(CONFIRMED, id=event_id, form=[guest])
            path, proof = (
                f"/webhooks/timerex/{order.endpoint}",
                f"x-timerex-authorization: {order.token}",
            )
            made.append(LoadDelivery(event_id, request_of(order, path, proof, body)))
        else:
            body = json.dumps(contact_update(order, number)).encode()
            proof = f"x-ghl-signature: {base64.b64encode(key.sign(body)).decode()}"
            delivery = request_of(order, "/webhooks/ghl", proof, body)
            made.append(LoadDelivery(f"webhook:{order.prefix}-{number}", delivery))
    return made


def request_of(order: LoadOrder, path: str, proof: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {order.host}:{order.port}\r\n{proof}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class LoadSender:
    """Sends over as many connections as needed, and reuses them."""

    def __init__(self, order: LoadOrder) -> None:
        self.order = order
        self.figures = LoadFigures()
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self) -> None:
        deliveries = prepare(self.order)
        enough = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, enough.set)
        began = time.perf_counter()
        sending: list[asyncio.Task[None]] = []
        for number, delivery in enumerate(deliveries):
            if enough.is_set():
                break
            due = began + number / self.order.rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            sending.append(asyncio.create_task(self.deliver(delivery, due)))
        await asyncio.gather(*sending)
        sent = [delivery.key for delivery in deliveries[: len(sending)]]
        keys = {"sent": sent, "acked": self.figures.acked}
        await asyncio.to_thread(Path(self.order.keys_file).write_text, json.dumps(keys))
        sys.stdout.write(json.dumps({"sent": len(sent), **self.figures.summary()}) + "\n")

    async def deliver(self, delivery: LoadDelivery, due: float) -> None:
        for repeat in range(self.order.repeats + 1):
            if repeat:
                await asyncio.sleep(min(2 ** (repeat - 1), LONGEST_PAUSE_S))
            status = await self.post(delivery.request)
            if not repeat:
                self.figures.took_ms.append((time.perf_counter() - due) * 1000)
            self.figures.statuses[status] += 1
            if status == "200":
                self.figures.acked.append(delivery.key)
                return

    async def post(self, request: bytes) -> str:
        """Send; return the status, or the name of the error."""
        writer = None
        try:
            async with asyncio.timeout(self.order.patience_s):
                reader, writer = await self.connect()
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0]
                await reader.readexactly(int(length))
        except (OSError, EOFError) as error:
            if writer is not None:
                writer.close()
            return type(error).__name__
        if b"connection: close" in head:
            writer.close()
        else:
            self.idle.append((reader, writer))
        return head[9:12].decode()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self.order.host, self.order.port)

    def close(self) -> None:
        for _, writer in self.idle:
            writer.close()


async def main(order: LoadOrder) -> None:
    sender = LoadSender(order)
    await sender.run()
    sender.close()


if __name__ == "__main__":
    asyncio.run(main(LoadOrder(**json.loads(sys.argv[1]))))
