"""The clock for rate limit windows, lags, delays, and the expiry of tokens and faults."""

import asyncio
import time


class MachineClock:
    """The machine's clock. A test can pass one that it moves itself."""

    def now(self) -> float:
        """Return seconds since an arbitrary moment; monotonic."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait until that much time has passed on this clock."""
        await asyncio.sleep(seconds)
