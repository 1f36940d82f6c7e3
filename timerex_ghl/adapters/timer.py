"""The process's timer: measures elapsed time and sleeps."""

import asyncio
import time
from contextlib import suppress
from typing import Protocol


class Timer(Protocol):
    """Measures and waits. Rate limiters take one as an argument."""

    def monotonic(self) -> float:
        """Return seconds since any fixed moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so long."""
        ...

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        """Wait until an event is set, or for so long."""
        ...


class SystemTimer:
    """Real time."""

    def monotonic(self) -> float:
        """Return seconds since any fixed moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for so long."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        """Wait until an event is set, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()


SYSTEM_TIMER = SystemTimer()
