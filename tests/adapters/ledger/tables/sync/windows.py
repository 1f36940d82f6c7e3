"""A window of slots: taken, returned, corrected."""

from tests.adapters.ledger.tables.sync.quota_usage import QuotaUsage, read_usage
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import (
    CallLimits,
    Ended,
    ReportedLimits,
    Slot,
)
from timerex_ghl.domain.shared.models import LocationId

AOBA = LocationId("locAoba")
CALL_LIMITS = CallLimits(limit=5, window_s=10, deadline_s=20)
WIDE = CALL_LIMITS._replace(limit=100)


async def take(
    ledger: Ledger, wanted: int, call_limits: CallLimits = CALL_LIMITS, share: int | None = None
) -> tuple[list[Slot], float]:
    return await ledger.write(quota.take_slots, AOBA, wanted, call_limits, share)


async def end(ledger: Ledger, slots: list[Slot], ago_s: float = 0) -> None:
    await ledger.write(quota.give_back, AOBA, [Ended(slot, ago_s) for slot in slots], CALL_LIMITS)


async def see(ledger: Ledger, *numbers: float | None) -> None:
    remaining, daily, reset_s, ago_s = [*numbers, *[None] * (3 - len(numbers)), 0][:4]
    reported = ReportedLimits(
        None if remaining is None else int(remaining),
        None if daily is None else int(daily),
        reset_s,
        ago_s or 0,
    )
    await ledger.write(quota.correct, AOBA, reported, CALL_LIMITS)


async def usage(ledger: Ledger) -> QuotaUsage:
    return await ledger.read(read_usage, AOBA)
