"""A connection with an API key of TimeRex, whose sandbox has bookings around today."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.engine.world import NAME, World, opened_world
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.timerex.auth import ApiKey
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.domain.shared.models import BookingId, BookingRow, EventId
from timerex_ghl.domain.shared.outcome import Counts, count
from timerex_ghl.engine.bookings.poll_bookings import Polling, poll
from timerex_ghl.sandbox.info import SandboxInfo

RIKU = "riku@hinode.example"


@dataclass
class PollingWorld:
    """The workspace and GHL, and what TimeRex's guests do.

    Attributes:
        unlimited: A client of TimeRex without a rate limit.
        rate_limited: A client that keeps to the limits.
        rate_limiter: The limits' state.
    """

    world: World
    unlimited: TimerexClient
    rate_limited: TimerexClient
    rate_limiter: TimerexRateLimiter

    async def poll(self, timerex: TimerexClient | None = None, *, for_s: float = 60) -> Polling:
        """Run the poll, with all of TimeRex's API to itself."""
        until = self.world.clock.now() + timedelta(seconds=for_s)
        return await poll(self.world.context, timerex or self.unlimited, until)

    async def handle(self) -> Counts:
        """Process all pending events."""
        due = await self.world.ledger.read(
            inbox.waiting_events, NAME, self.world.clock.now(), 10_000
        )
        return count(await self.world.handle(*due))

    async def book(self, *, hours: float = 24, **changes: Any) -> BookingId:
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
        guest = {"guest_name": "Riku Sato", "guest_email": RIKU, "starts_at": starts_at.isoformat()}
        made = await self.world.ask("POST", "/timerex/bookings", guest | changes)
        return BookingId(made["event_id"])

    async def cancel(self, booking_id: BookingId) -> None:
        await self.world.ask("POST", f"/timerex/bookings/{booking_id}/cancel", {})

    async def move(self, booking_id: BookingId, *, hours: float) -> BookingId:
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
        made = await self.world.ask(
            "POST",
            f"/timerex/bookings/{booking_id}/reschedule",
            {"starts_at": starts_at.isoformat()},
        )
        return BookingId(made["event_id"])

    async def calls(self) -> list[str]:
        """List the requests to TimeRex since the last check."""
        calls = (await self.world.ask("GET", "/timerex/calls"))["calls"]
        await self.world.ask("DELETE", "/timerex/calls")
        return [call["operation"] for call in calls]

    async def fault(self, operation: str, status: int, **aim: Any) -> None:
        fault = {"operation": operation, "kind": "status", "value": status, **aim}
        await self.world.ask("POST", "/timerex/faults", fault)

    async def blocked(self, booking_id: BookingId) -> BookingRow:
        row = await self.world.ledger.read(bookings.get_booking, NAME, booking_id)
        assert row is not None
        return row

    async def _due(self) -> list[EventId]:
        now = self.world.clock.now()
        return await self.world.ledger.read(inbox.waiting_events, NAME, now, 10_000)

    async def waiting(self) -> list[str]:
        """List the records with a pending event."""
        due = await self.world.ledger.read(
            inbox.waiting_events, NAME, self.world.clock.now(), 10_000
        )
        events = [await self.world.ledger.read(inbox.read_event, one) for one in due]
        return [str(event.record) for event in events if event is not None]


@asynccontextmanager
async def opened_polling(ledger: Ledger, info: SandboxInfo) -> AsyncGenerator[PollingWorld]:
    async with opened_world(ledger, info) as world, httpx.AsyncClient(verify=NO_TLS) as http:
        auth = ApiKey(info.timerex.api_key)
        rate_limiter = TimerexRateLimiter(ledger, auth.owner)
        url = info.timerex.base_url
        unlimited = TimerexClient(http, auth, None, base_url=url)
        rate_limited = TimerexClient(http, auth, rate_limiter, base_url=url)
        await world.ask("POST", "/timerex/limits", {"enabled": False})
        context = replace(world.context, timerex=unlimited)
        yield PollingWorld(replace(world, context=context), unlimited, rate_limited, rate_limiter)
