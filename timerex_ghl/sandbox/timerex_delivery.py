"""Webhook deliveries: three tries, ten seconds apart, fifteen seconds for an answer.

Source: the TimeRex developer portal, webhook reference.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field

import httpx

from timerex_ghl.sandbox.timerex_bookings import hex_id
from timerex_ghl.sandbox.wire import Json, iso_ms, now_ms, to_json

USER_AGENT = "TimeRex API v1.0"


@dataclass
class Webhook:
    """Where deliveries go and how, as entered in the team's settings."""

    url: str | None = None
    header: str = "x-timerex-authorization"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(36))
    tries: int = 3
    retry_pause_s: float = 10
    timeout_s: float = 15

    def headers(self) -> dict[str, str]:
        """Write the headers of a delivery, lower case as TimeRex sends them."""
        return {
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": USER_AGENT,
            self.header.lower(): self.token,
        }


@dataclass
class Delivery:
    """One delivery. Its state is `waiting`, `delivered`, `failed`, or `no url`."""

    event_id: str
    type: str
    body: bytes
    id: str = field(default_factory=hex_id)
    state: str = "waiting"
    created_ms: int = field(default_factory=now_ms)
    tries: list[Json] = field(default_factory=list[Json])

    def as_json(self) -> Json:
        """Describe it for a checker, without its body."""
        return {
            "id": self.id,
            "event_id": self.event_id,
            "type": self.type,
            "state": self.state,
            "created_at": iso_ms(self.created_ms),
            "tries": self.tries,
        }


class Deliveries:
    """All deliveries. Each runs in a task of its own, so that their order is not certain."""

    def __init__(self) -> None:
        self.webhook = Webhook()
        self.all: dict[str, Delivery] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None

    def send(self, event_id: str, webhook_type: str, body: Json) -> Delivery:
        """Begin a delivery."""
        delivery = Delivery(event_id, webhook_type, to_json(body))
        self.all[delivery.id] = delivery
        self.begin(delivery)
        return delivery

    def begin(self, delivery: Delivery) -> None:
        """Deliver, or deliver again."""
        if self.webhook.url is None:
            delivery.state = "no url"
            return
        delivery.state = "waiting"
        task = asyncio.create_task(self._deliver(delivery, self.webhook.url))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Stop what is under way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    async def _deliver(self, delivery: Delivery, url: str) -> None:
        for number in range(self.webhook.tries):
            if number:
                await asyncio.sleep(self.webhook.retry_pause_s)
            if await self._try(delivery, url):
                delivery.state = "delivered"
                return
        delivery.state = "failed"

    async def _try(self, delivery: Delivery, url: str) -> bool:
        """Try once; anything but a 2xx in time is a failure, a redirect too."""
        if self._http is None:  # made late: a client takes a while to build
            self._http = httpx.AsyncClient(trust_env=False)
        began = time.perf_counter()
        result: Json = {"at": iso_ms(now_ms()), "delivered": False}
        try:
            async with asyncio.timeout(self.webhook.timeout_s):
                answer = await self._http.post(
                    url, content=delivery.body, headers=self.webhook.headers(), timeout=None
                )
            result |= {"status": answer.status_code, "delivered": answer.is_success}
        except (httpx.HTTPError, TimeoutError) as error:
            result["error"] = type(error).__name__
        result["took_ms"] = round((time.perf_counter() - began) * 1000, 1)
        delivery.tries.append(result)
        return result["delivered"]
