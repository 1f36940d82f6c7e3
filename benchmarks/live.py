"""Time from a webhook to its last CRM call, compared with a bare handler.

    python -m benchmarks.live [rounds]

Gateway, live worker and Prefect server run as in production, a process each, on the same cores;
without rate limiter and TimeRex key. Half the guests are new, half are in the CRM already: each is
found or created, tagged, and gets a note with the booking. The lower bound is a bare ASGI handler
that stores nothing and makes the same calls (`benchmarks/baseline.py`).
"""

import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.full_stack import TIMEREX_HEADER, start_whole
from benchmarks.harness import machine, median, say
from timerex_ghl.demo.environment import HOST
from timerex_ghl.demo.processes import Programs
from timerex_ghl.sandbox.core.call_log import CallLog, LoggedCall
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.server import Sandbox, SandboxServer

RATE, SECONDS = 5, 10
OUTSTANDING, EVENTS = 10, 300
GOALS = {"p50_ms": 40, "p95_ms": 120, "ratio": 0.35}


class Crm:
    """A sandbox in this process that records when a guest's note was written."""

    def __init__(self) -> None:
        self.waiters: dict[str, asyncio.Future[float]] = {}
        self.sandbox = Sandbox()
        self.sandbox.ghl.calls = _TimedCalls(self)
        self.sandbox.ghl.limits.enabled = False
        self.server = SandboxServer(self.sandbox, 0)

    def record(self, call: LoggedCall) -> None:
        """Record when the last call about a guest was answered."""
        if call.method == "POST" and call.path.endswith("/notes"):
            contact = self.sandbox.ghl.contacts.by_id.get(call.path.split("/")[-2])
            email = contact.fields.get("email") if contact else None
            future = self.waiters.get(email or "")
            if future is not None and not future.done():
                future.set_result(time.perf_counter())


class _TimedCalls(CallLog):
    def __init__(self, crm: Crm) -> None:
        super().__init__()
        self._crm = crm

    def add(self, call: LoggedCall) -> None:
        super().add(call)
        self._crm.record(call)


class Target(NamedTuple):
    """Where webhooks go."""

    name: str
    url: str
    headers: dict[str, str]


@asynccontextmanager
async def started() -> AsyncGenerator[tuple[Crm, Target, Target]]:
    """Start everything; return the CRM, our endpoint and the floor's."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = Programs(folder)
        stack.push_async_callback(programs.stop)
        crm = Crm()
        serving = asyncio.create_task(crm.server.run_until_stopped())
        stack.push_async_callback(_stop, crm, serving)
        floor = await _start_floor(stack, crm)
        whole = await start_whole(stack, programs, folder, crm.server.info.ghl)
        product = Target("timerex-ghl", whole.timerex_url, {TIMEREX_HEADER: whole.token})
        yield crm, product, floor


async def _stop(crm: Crm, serving: asyncio.Task[None]) -> None:
    crm.server.stop()
    await serving


async def _start_floor(stack: AsyncExitStack, crm: Crm) -> Target:
    info = crm.server.info.ghl
    environment = {
        **os.environ,
        "FLOOR_GHL": info.base_url,
        "FLOOR_LOCATION": info.location_id,
        "FLOOR_TOKEN": info.private_token,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.baseline", env=environment, stdout=asyncio.subprocess.PIPE
    )
    stack.callback(process.terminate)
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    return Target("floor", f"http://{HOST}:{port}/", {})


NUMBERS = itertools.count(1)


def booking(email: str) -> dict[str, Any]:
    """Return the webhook of a confirmed booking."""
    number = next(NUMBERS)
    starts_at = datetime.now(UTC) + timedelta(days=number % 50 + 1)
    return {
        "webhook_type": "event_confirmed",
        "calendar_name": "Onboarding call 30",
        "event": {
            "id": f"{number:020x}",
            "start_datetime": starts_at.isoformat(),
            "end_datetime": (starts_at + timedelta(minutes=30)).isoformat(),
            "calendar_timezone": "Asia/Tokyo",
            "form": [
                {"field_type": "guest_name", "value": f"Guest {number}"},
                {"field_type": "guest_email", "value": email},
            ],
            "is_changed": False,
        },
    }


class Driver:
    """Sends webhooks, and waits for their last call."""

    def __init__(self, crm: Crm, target: Target, http: httpx.AsyncClient) -> None:
        self.crm, self.target, self.http = crm, target, http

    def guest(self) -> str:
        """Invent a guest; every second one is in the CRM already."""
        number = next(NUMBERS)
        email = f"guest{number}@{self.target.name}.example"
        if number % 2:
            ghl = self.crm.sandbox.ghl
            fields = {"firstName": f"Guest {number}", "email": email}
            ghl.contacts.save(SandboxContact(ghl.location.id, {}, fields=fields))
        return email

    async def one(self) -> float:
        """Send one webhook; return the seconds until its last call was answered."""
        email = self.guest()
        self.crm.waiters[email] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        sending = asyncio.create_task(
            self.http.post(self.target.url, json=booking(email), headers=self.target.headers)
        )
        took = await self.crm.waiters[email] - began
        (await sending).raise_for_status()
        return took

    async def rate_limited(self) -> list[float]:
        """Send at a fixed rate, without waiting for the results."""
        sent: list[asyncio.Task[float]] = []
        for _ in range(RATE * SECONDS):
            sent.append(asyncio.create_task(self.one()))
            await asyncio.sleep(1 / RATE)
        return await asyncio.gather(*sent)

    async def crowded(self) -> float:
        """Keep ten outstanding; return the events per second."""
        rest = iter(range(EVENTS))

        async def work() -> None:
            for _ in rest:
                await self.one()

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(OUTSTANDING)))
        return EVENTS / (time.perf_counter() - began)


async def measure(crm: Crm, target: Target) -> dict[str, float]:
    """Measure one target once."""
    async with httpx.AsyncClient(timeout=60) as http:
        driver = Driver(crm, target, http)
        for _ in range(10):
            await driver.one()
        took = sorted(1000 * seconds for seconds in await driver.rate_limited())
        rate = await driver.crowded()
    return {
        "p50_ms": took[len(took) // 2],
        "p95_ms": took[int(len(took) * 0.95)],
        "per_s": rate,
    }


async def main(rounds: int) -> None:
    """Measure both alternately, several times."""
    found: dict[str, list[dict[str, float]]] = {}
    async with started() as (crm, *targets):
        for number in range(rounds):
            for target in targets:
                figures = await measure(crm, target)
                found.setdefault(target.name, []).append(figures)
                rounded = {key: round(value, 1) for key, value in figures.items()}
                say(round=number, target=target.name, **rounded, **machine())
    product, floor = (
        {key: median([one[key] for one in found[target.name]], 1) for key in found[target.name][0]}
        for target in targets
    )
    say(
        benchmark="live",
        product=product,
        floor=floor,
        ratio_per_s=round(product["per_s"] / floor["per_s"], 2),
        goals=GOALS,
        **machine(),
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
