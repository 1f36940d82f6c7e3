"""A first-in, first-out queue for rate limiter slots."""

import asyncio
from collections import deque

from timerex_ghl.adapters.ledger.tables.sync.quota import Slot
from timerex_ghl.domain.shared.errors import TimerexGhlError


class Lane:
    """Callers that wait for a slot, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[Slot]] = deque()

    def join(self) -> asyncio.Future[Slot]:
        """Add a caller to the queue."""
        mine: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        return mine

    def __len__(self) -> int:
        """Count the callers that still wait."""
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.done())
        return len(self._waiting)

    def serve(self, slot: Slot) -> bool:
        """Give a slot to the first caller; return False where none waits."""
        if wanted := len(self) > 0:
            self._waiting.popleft().set_result(slot)
        return wanted

    def turn_away(self, error: TimerexGhlError) -> None:
        """Fail all waiting callers with an error."""
        while len(self):
            self._waiting.popleft().set_exception(error)
