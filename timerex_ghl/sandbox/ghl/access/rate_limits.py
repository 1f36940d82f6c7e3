"""The vendor's rate limits: a sliding window and a day, per app and location.

Source: response headers recorded in July 2026; the body of a 429 is not published.
"""

import time
from collections import deque
from dataclasses import dataclass, field

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.clock import MachineClock

DAY_S = 86_400


@dataclass
class AppUsage:
    """What one app has used. `calls` are arrival times, in seconds."""

    calls: deque[float] = field(default_factory=deque[float])
    day: int = 0
    today: int = 0


@dataclass
class SandboxLimits:
    """The limits and their use per app; the control API can change the limits."""

    max: int = 100
    window_ms: int = 10_000
    daily: int = 200_000
    enabled: bool = True
    clock: MachineClock = field(default_factory=MachineClock)
    by_app: dict[str, AppUsage] = field(default_factory=dict[str, AppUsage])

    def take(self, app: str) -> None:
        """Count one call, or refuse it. A refused call does not count."""
        usage = self._current(app)
        if self.enabled and (len(usage.calls) >= self.max or usage.today >= self.daily):
            raise RefusalError(429, "Too Many Requests")
        usage.calls.append(self.clock.now())
        usage.today += 1

    def headers(self, app: str) -> dict[str, str]:
        """Return the rate limit headers of an answer."""
        usage = self._current(app)
        until_midnight_s = DAY_S - int(time.time()) % DAY_S
        return {
            "x-ratelimit-max": str(self.max),
            "x-ratelimit-remaining": str(max(0, self.max - len(usage.calls))),
            "x-ratelimit-interval-milliseconds": str(self.window_ms),
            "x-ratelimit-limit-daily": str(self.daily),
            "x-ratelimit-daily-remaining": str(max(0, self.daily - usage.today)),
            "x-ratelimit-daily-reset": str(until_midnight_s * 1000),
        }

    def _current(self, app: str) -> AppUsage:
        """Return an app's use within the current window and day."""
        usage = self.by_app.setdefault(app, AppUsage())
        begin = self.clock.now() - self.window_ms / 1000
        while usage.calls and usage.calls[0] <= begin:
            usage.calls.popleft()
        day = int(time.time()) // DAY_S
        if usage.day != day:
            usage.day, usage.today = day, 0
        return usage
