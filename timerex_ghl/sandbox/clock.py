"""The clock that windows, lags, delays and the ends of tokens and faults go by."""

import asyncio
import time


class MachineClock:
    """The machine's clock. A test hands in one that it moves by itself."""

    def now(self) -> float:
        """Read it: seconds since any moment, never backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait until that much of its time has passed."""
        await asyncio.sleep(seconds)
