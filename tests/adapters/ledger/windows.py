"""A window of slots: taken, given back, corrected."""

from timerex_ghl.adapters.ledger import quota
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.adapters.ledger.quota import Ended, Pace, Seen, Slot, Usage
from timerex_ghl.domain.models import LocationId

AOBA = LocationId("locAoba")
PACE = Pace(limit=5, window_s=10, deadline_s=20)
WIDE = PACE._replace(limit=100)


async def take(
    ledger: Ledger, wanted: int, pace: Pace = PACE, share: int | None = None
) -> tuple[list[Slot], float]:
    return await ledger.write(quota.take_slots, AOBA, wanted, pace, share)


async def end(ledger: Ledger, slots: list[Slot], ago_s: float = 0) -> None:
    await ledger.write(quota.give_back, AOBA, [Ended(slot, ago_s) for slot in slots], PACE)


async def see(ledger: Ledger, *numbers: float | None) -> None:
    remaining, daily, reset_s, ago_s = [*numbers, *[None] * (3 - len(numbers)), 0][:4]
    seen = Seen(
        None if remaining is None else int(remaining),
        None if daily is None else int(daily),
        reset_s,
        ago_s or 0,
    )
    await ledger.write(quota.correct, AOBA, seen, PACE)


async def usage(ledger: Ledger) -> Usage:
    return await ledger.read(quota.usage, AOBA)
