"""A CRM with limits, a rate limiter that keeps to them, and the live path without Prefect."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import httpx
from sqlalchemy import Connection, text

from tests.deliveries import confirmed
from tests.engine.world import EVERY_SCOPE, NAME, World, opened_world
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Grant, LedgerRateLimiter, behind_live
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.shared.models import EventId, LocationId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.dispatch import Batch, Dispatcher
from timerex_ghl.engine.process import process_event
from timerex_ghl.engine.router import handle_inbox_event
from timerex_ghl.orchestration.batches import at_once, each
from timerex_ghl.sandbox.info import SandboxInfo

LIMIT = 100
"""Calls that GHL allows in any window."""

TOO_LONG_S = 600

SWEEPS, SWEEPS_AT_ONCE = "task-search", 4
"""The call that a sweep makes, as the log names it, and how many it makes at once."""


class RunFigures(NamedTuple):
    """The result of a run of bookings.

    Attributes:
        calls: Calls to the CRM.
        refused: Calls that it answered with 429.
        busiest: The most calls that arrived in any window.
        waits: How often the rate limiter had to wait.
        lost: Bookings without contact or note, or whose event was not applied.
        doubled: Contacts and notes beyond one a guest.
        in_doubt: Writes whose outcome is unknown.
    """

    events: int
    seconds: float
    calls: int
    refused: int
    busiest: int
    waits: int
    lost: int
    doubled: int
    in_doubt: int


class CountingRateLimiter(LedgerRateLimiter):
    """Counts how often the ledger has no slot for a call that asks."""

    waits = 0

    async def _exchange(self, wanted: int, wanted_behind: int) -> tuple[Grant, Grant]:
        grants = await super()._exchange(wanted, wanted_behind)
        self.waits += any(wait_s > 0 for _, wait_s in grants)
        return grants


@dataclass
class RateLimitedWorld:
    """A world with a CRM's call limit, and a client that keeps to it.

    Attributes:
        arrived_at: When each booking arrived, where they arrive over time. So is `handled_at`.
        calls: The CRM's log of the last run.
    """

    world: World
    call_limits: CallLimits
    rate_limiter: CountingRateLimiter
    arrived_at: dict[EventId, float] = field(default_factory=dict[EventId, float])
    handled_at: dict[EventId, float] = field(default_factory=dict[EventId, float])
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def delays_s(self) -> list[float]:
        """Return how long each booking took from its arrival, the quickest first."""
        return sorted(self.handled_at[one] - at for one, at in self.arrived_at.items())

    def of_sweep(self) -> list[dict[str, Any]]:
        """List the calls of the last run that a sweep made."""
        return [call for call in self.calls if call["operation"] == SWEEPS]

    async def spread(self, number: int, per_s: float) -> RunFigures:
        """Store so many bookings a second, and process them as they come."""

        async def store() -> list[EventId]:
            began = time.perf_counter()
            stored: list[EventId] = []
            for one in range(number):
                await asyncio.sleep(max(0.0, began + one / per_s - time.perf_counter()))
                arrived_at = time.perf_counter()
                stored.append(await self.world.receive(_booking(one)))
                self.arrived_at[stored[-1]] = arrived_at
            return stored

        async with asyncio.timeout(TOO_LONG_S):
            return await self._measure(number, store)

    async def queued(self, number: int) -> RunFigures:
        """Store all bookings before the first is processed."""
        waiting = await asyncio.gather(
            *(self.world.receive(_booking(one)) for one in range(number))
        )

        async def store() -> list[EventId]:
            return waiting

        async with asyncio.timeout(TOO_LONG_S):
            return await self._measure(number, store)

    async def _measure(
        self, number: int, store: Callable[[], Coroutine[None, None, list[EventId]]]
    ) -> RunFigures:
        await self.world.ask("DELETE", "/ghl/calls")
        began = time.perf_counter()
        self.rate_limiter.waits = 0
        storing = asyncio.create_task(store())
        await self._handle(number)
        event_ids = await storing
        seconds = time.perf_counter() - began
        self.calls = calls = (await self.world.ask("GET", "/ghl/calls"))["calls"]
        lost, doubled = await self._compare(event_ids)
        return RunFigures(
            events=number,
            seconds=seconds,
            calls=len(calls),
            refused=sum(call["status"] == 429 for call in calls),
            busiest=busiest(calls, self.call_limits.window_s),
            waits=self.rate_limiter.waits,
            lost=lost,
            doubled=doubled,
            in_doubt=await self.world.ledger.read(_in_doubt),
        )

    async def _handle(self, number: int) -> None:
        """Process pending events as `live-sync` does, until so many have ended."""
        context, ended = self.world.context, 0

        async def one(event_id: EventId) -> Outcome:
            outcome = await process_event(context, handle_inbox_event, event_id)
            self.handled_at[event_id] = time.perf_counter()
            return outcome

        async def handle(batch: Batch) -> None:
            nonlocal ended
            outcomes = await each(one, batch.event_ids, at_once(context))
            # an event that ended while the dispatcher read may be handed out again, and is skipped
            ended += sum(outcome.what not in {"waiting", "skipped"} for outcome in outcomes)
            dispatcher.done(batch)

        async with self.world.ledger.listening() as alarm, asyncio.TaskGroup() as group:
            dispatcher = Dispatcher(self.world.ledger, alarm)
            dispatcher.open = [NAME]
            while ended < number:
                batches, pause_s = await dispatcher.take()
                for batch in batches:
                    group.create_task(handle(batch))
                await dispatcher.wait(pause_s)

    async def _compare(self, event_ids: Sequence[EventId]) -> tuple[int, int]:
        """Count what is lost and what exists twice."""
        contacts, notes = Counter[str](), Counter[str]()
        for contact in await self.world.crm():
            contacts[contact.get("email") or ""] += 1
            notes[contact.get("email") or ""] += len(contact.get("notes") or [])
        lost = doubled = 0
        for number, event_id in enumerate(event_ids):
            email = _email(number)
            is_applied = await self.world.state_of(event_id) == "applied"
            lost += not (is_applied and contacts[email] and notes[email])
            doubled += max(0, contacts[email] - 1) + max(0, notes[email] - 1)
        return lost, doubled


@asynccontextmanager
async def opened_rate_limited(
    ledger: Ledger, info: SandboxInfo, call_limits: CallLimits
) -> AsyncGenerator[RateLimitedWorld]:
    """Open a world whose CRM refuses calls over this rate."""
    async with (
        opened_world(ledger, info) as world,
        httpx.AsyncClient(verify=NO_TLS) as http,
    ):
        limits = {
            "enabled": True,
            "max": call_limits.limit,
            "window_ms": round(call_limits.window_s * 1000),
        }
        await world.ask("POST", "/ghl/limits", limits)
        location_id = LocationId(info.ghl.location_id)
        rate_limiter = CountingRateLimiter(ledger, location_id, call_limits)
        auth = PrivateToken(info.ghl.private_token, EVERY_SCOPE)
        client = GhlClient(
            http, auth, rate_limiter, base_url=info.ghl.base_url, location_id=location_id
        )
        settings = world.context.settings
        ghl = settings.ghl.model_copy(update={"calls_per_10_s": call_limits.limit})
        published = world.context.published.model_copy(
            update={"settings": settings.model_copy(update={"ghl": ghl})}
        )
        context = replace(world.context, published=published, ghl=client)
        try:
            yield RateLimitedWorld(replace(world, context=context), call_limits, rate_limiter)
        finally:
            await rate_limiter.close()


@asynccontextmanager
async def sweeping(ghl: GhlClient) -> AsyncGenerator[None]:
    """Read the location's tasks over and over, at a lower priority than live work."""

    async def sweep() -> None:
        while True:
            await ghl.search_tasks()

    with behind_live():
        sweeps = [asyncio.create_task(sweep()) for _ in range(SWEEPS_AT_ONCE)]
    try:
        yield
    finally:
        for task in sweeps:
            task.cancel()
        ended = await asyncio.gather(*sweeps, return_exceptions=True)
    assert [type(error) for error in ended] == [asyncio.CancelledError] * len(sweeps)


def busiest(calls: list[dict[str, Any]], window_s: float) -> int:
    """Return the most calls that arrived in any window, wherever it begins."""
    times, first, most = sorted(call["at_ms"] for call in calls), 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - window_s * 1000:
            first += 1
        most = max(most, last - first + 1)
    return most


def _in_doubt(tx: Connection) -> int:
    return tx.execute(text("SELECT count(*) FROM intents WHERE state = 'open'")).scalar_one()


def _booking(number: int) -> dict[str, Any]:
    return confirmed(f"paced{number}", _email(number), guest_name=f"Guest {number}")


def _email(number: int) -> str:
    return f"guest{number}@hinode.example"
