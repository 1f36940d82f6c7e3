"""A server that records its calls, and processes that call it through rate limiters."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter, behind_live
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.shared.models import LocationId

AOBA = LocationId("locAoba")
DEADLINE_S = 30.0
"""No call of a real process takes longer than this, even on a slow machine."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class RateLimiterFactory(Protocol):
    """Makes rate limiters as separate processes have them."""

    def __call__(
        self, call_limits: CallLimits, location_id: LocationId = AOBA
    ) -> LedgerRateLimiter: ...


@dataclass
class Counted:
    """The calls the server received."""

    url: str = ""
    arrivals: list[float] = field(default_factory=list[float])

    def most_in_any(self, window_s: float) -> int:
        """Count the calls of the busiest window, wherever it starts."""
        times = sorted(self.arrivals)
        return max(sum(begin <= time < begin + window_s for time in times) for begin in times)


@asynccontextmanager
async def counting_server(*, processes: int = 1) -> AsyncGenerator[Counted]:
    """Record calls; `/ready` answers once all processes have requested it."""
    counted, ready = Counted(), asyncio.Barrier(processes)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/ready" in head:
            await ready.wait()
        else:
            counted.arrivals.append(time.monotonic())
        writer.write(ANSWER)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    counted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield counted


def call_as_a_process(
    ledger_url: str, server_url: str, call_limits: CallLimits, calls: int
) -> None:
    """Call the server a number of times, through two rate limiters at once."""
    asyncio.run(_call(ledger_url, server_url, call_limits, calls))


def sweep_as_a_process(
    ledger_url: str, server_url: str, call_limits: CallLimits, calls: int
) -> None:
    """Call the server behind live work."""
    with behind_live():
        call_as_a_process(ledger_url, server_url, call_limits, calls)


async def _call(ledger_url: str, server_url: str, call_limits: CallLimits, calls: int) -> None:
    async with (
        open_ledger(ledger_url) as ledger,
        httpx.AsyncClient(verify=NO_TLS, timeout=DEADLINE_S) as http,
    ):
        rate_limiters = [LedgerRateLimiter(ledger, AOBA, call_limits) for _ in range(2)]

        async def call(rate_limiter: LedgerRateLimiter) -> None:
            async with rate_limiter.slot():
                await http.get(server_url)

        await http.get(f"{server_url}/ready")
        await asyncio.gather(*(call(rate_limiters[number % 2]) for number in range(calls)))
        for rate_limiter in rate_limiters:
            await rate_limiter.close()
