"""A queue for slots: who waits, and who gets the next one."""

import asyncio
from collections import deque

from timerex_ghl.adapters.ledger.quota import Slot
from timerex_ghl.domain.errors import TimerexGhlError


class Lane:
    """Callers that wait for a slot, the first one first."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[Slot]] = deque()

    def join(self) -> asyncio.Future[Slot]:
        """Wait here."""
        mine: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        return mine

    def __len__(self) -> int:
        """Count those who still wait."""
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.done())
        return len(self._waiting)

    def serve(self, slot: Slot) -> bool:
        """Hand a slot to the first one; tell whether anybody wanted it."""
        if wanted := len(self) > 0:
            self._waiting.popleft().set_result(slot)
        return wanted

    def turn_away(self, error: TimerexGhlError) -> None:
        """Let nobody wait here any longer."""
        while len(self):
            self._waiting.popleft().set_exception(error)
