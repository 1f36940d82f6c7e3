"""Webhook deliveries: each in a task of its own, retried as the real service does."""

import asyncio
import random
import time
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Literal, Protocol, TypeVar

import httpx

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.delivery_faults import (
    AS_IT_IS,
    DeliveryFaults,
    Forgery,
    Plan,
    SenderProof,
    forge,
)
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, now_ms

AT_ONCE = 100
KEPT = 50_000
ReleaseOrder = Literal["same", "reversed", "shuffled"]


@dataclass
class SandboxDelivery:
    """One delivery.

    Attributes:
        about: Ids by which a checker can find it.
        url: Target; None for the webhook's URL.
        state: `waiting`, `paused`, `delivered`, `failed`, `dropped` or `no url`.
        faults: Faults that hit it.
    """

    type: str
    about: Json
    body: bytes
    url: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "waiting"
    created_ms: int = field(default_factory=now_ms)
    tries: list[Json] = field(default_factory=list[Json])
    faults: list[str] = field(default_factory=list[str])
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> Json:
        """Describe it for a checker, without its body."""
        return {
            "id": self.id,
            **self.about,
            "type": self.type,
            "state": self.state,
            "created_at": iso_ms(self.created_ms),
            "tries": self.tries,
            "faults": self.faults,
        }


class Webhook(Protocol):
    """Where and how a service delivers."""

    url: str | None
    timeout_s: float

    @property
    def proof(self) -> SenderProof:
        """Return how deliveries prove their sender."""
        ...

    def headers(self, delivery: SandboxDelivery) -> dict[str, str]:
        """Write the headers of a delivery, names in lower case."""
        ...

    def pause_after(self, tries: int, status: int | None, /) -> float | None:
        """Return the seconds until the next try; None gives up. `status` is None without answer."""
        ...


SomeWebhook = TypeVar("SomeWebhook", bound=Webhook)


class Deliveries(Generic[SomeWebhook]):
    """All deliveries of a service. Their order on the wire is not guaranteed, as in reality.

    Attributes:
        forgotten: How many of the oldest were dropped.
    """

    def __init__(self, webhook: SomeWebhook, clock: MachineClock) -> None:
        self.webhook = webhook
        self.clock = clock
        self.faults = DeliveryFaults()
        self.all: dict[str, SandboxDelivery] = {}
        self.forgotten = 0
        self._paused: dict[str, Plan] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._http: httpx.AsyncClient | None = None

    def take(self, delivery: SandboxDelivery) -> SandboxDelivery:
        """Store a delivery and start it, unless a fault prevents that."""
        self.all[delivery.id] = delivery
        if len(self.all) > KEPT:
            oldest = next(iter(self.all))
            del self.all[oldest]
            self._paused.pop(oldest, None)
            self.forgotten += 1
        self.begin(delivery, self.faults.plan(delivery.type))
        return delivery

    def begin(self, delivery: SandboxDelivery, plan: Plan = AS_IT_IS) -> None:
        """Deliver, or deliver again."""
        delivery.faults += plan.kinds
        url = delivery.url or self.webhook.url
        if url is None:
            delivery.state = "no url"
        elif plan.dropped:
            delivery.state = "dropped"
        elif plan.paused:
            delivery.state = "paused"
            self._paused[delivery.id] = plan._replace(kinds=(), paused=False)
        else:
            delivery.state = "waiting"
            self._start(self._deliver(delivery, url, plan))

    def release(self, order: ReleaseOrder, seed: int) -> int:
        """Start paused deliveries; each is tried once before the next one starts."""
        paused, self._paused = self._paused, {}
        ids = [*paused]
        if order == "reversed":
            ids.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(ids)
        self._start(self._release([(self.all[its_id], paused[its_id]) for its_id in ids]))
        return len(ids)

    async def close(self) -> None:
        """Stop running deliveries."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _release(self, paused: list[tuple[SandboxDelivery, Plan]]) -> None:
        for delivery, plan in paused:
            self.begin(delivery, plan)
            if delivery.state == "waiting":
                await delivery.tried.wait()

    async def _deliver(self, delivery: SandboxDelivery, url: str, plan: Plan) -> None:
        await self.clock.sleep(plan.delay_s)
        copies = [self._handle(delivery, url, plan.forgery) for _ in range(plan.copies)]
        delivered = await asyncio.gather(*copies)
        delivery.state = "delivered" if any(delivered) else "failed"

    async def _handle(self, delivery: SandboxDelivery, url: str, forgery: Forgery | None) -> bool:
        headers, body = self.webhook.headers(delivery), delivery.body
        if forgery is not None:
            headers, body = forge(forgery, headers, body, self.webhook.proof)
        for tries in count(1):
            outcome = await self._try(url, headers, body)
            delivery.tries.append(outcome)
            delivery.tried.set()
            if outcome["delivered"]:
                return True
            pause_s = self.webhook.pause_after(tries, outcome.get("status"))
            if pause_s is None:
                return False
            await self.clock.sleep(pause_s)
        raise AssertionError  # `count` has no end

    async def _try(self, url: str, headers: dict[str, str], body: bytes) -> Json:
        """Try once; anything but a 2xx in time is a failure, also a redirect."""
        if self._http is None:  # created late, as building a client is slow
            self._http = httpx.AsyncClient(trust_env=False)
        async with self._slots:
            began = time.perf_counter()
            outcome: Json = {"at": iso_ms(now_ms()), "delivered": False}
            try:
                async with asyncio.timeout(self.webhook.timeout_s):
                    answer = await self._http.post(url, content=body, headers=headers, timeout=None)
                outcome |= {"status": answer.status_code, "delivered": answer.is_success}
            except (httpx.HTTPError, TimeoutError) as error:
                outcome["error"] = type(error).__name__
            outcome["took_ms"] = round((time.perf_counter() - began) * 1000, 1)
        return outcome
