"""The call budget: slots of a sliding window per location, shared by all processes of the ledger.

A call takes a slot and returns it when it ends; the slot is free again a whole window later. So no
window of that length, wherever it starts and however long calls take, contains more calls than
there are slots. The slot of a crashed process is free once its call must have ended. Calls behind
live work take slots of the same window, and are also counted separately.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from sqlalchemy import Column, Connection, Integer, RowMapping, Table, Text, insert, select, update

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.domain.shared.models import LocationId

DAILY_LIMIT = 200_000
"""GHL's limits, per app and location. Source: docs/vendors/ghl.md#limits."""

PIECES = 5
"""Calls behind live work take at most this fraction of their share in this fraction of the window.

So their slots become free evenly: live work waits for the next ones for at most a fifth of a
window, not for a whole one.
"""

RESERVE_OF_DAY = DAILY_LIMIT // 10
"""The last calls of the day, reserved for live work."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_quota = Table(
    "quota",
    metadata,
    Column("location_id", Text, primary_key=True),
    Column("slots", JsonText, nullable=False),  # ms since 1970 at which each taken slot is free
    Column("behind", JsonText, nullable=False),  # those taken behind live work
    Column("paused_until", UtcTime),
    Column("today", Integer, nullable=False),
    Column("today_ends_at", UtcTime, nullable=False),
)


class CallLimits(NamedTuple):
    """The call limits of a location.

    Attributes:
        limit: Calls in any window.
        window_s: The window's length in seconds.
        deadline_s: Longest duration of a call.
    """

    limit: int = 100
    window_s: float = 10.0
    deadline_s: float = 25.0


class Slot(NamedTuple):
    """A taken slot. Equal slots are interchangeable.

    Attributes:
        free_ms: When it is free if it is never returned, in ms since 1970.
        is_behind: Whether it was taken behind live work.
    """

    free_ms: int
    is_behind: bool = False


class Ended(NamedTuple):
    """The slot of an ended call, and how long ago the call ended."""

    slot: Slot
    ago_s: float


class ReportedLimits(NamedTuple):
    """The remaining call budget from GHL's answer, and its age. None: not reported."""

    remaining: int | None
    daily_remaining: int | None
    daily_reset_s: float | None
    ago_s: float = 0.0


class DayUsage(NamedTuple):
    """The calls of the current day, and when it ends."""

    calls: int
    ends_at: datetime


def take_slots(
    tx: Connection,
    location_id: LocationId,
    wanted: int,
    call_limits: CallLimits,
    share: int | None = None,
) -> tuple[list[Slot], float]:
    """Take up to `wanted` slots; return them or, without any, the seconds to wait.

    With a `share` the calls go behind live work: together they have at most that many slots (at
    least one) at a time, spread over the window, and none of the day's reserve.
    """
    row = _row(tx, location_id)
    now = clock.now(tx)
    paused_s = _seconds(now, row["paused_until"])
    of_day = DAILY_LIMIT - row["today"] - (0 if share is None else RESERVE_OF_DAY)
    if of_day <= 0:
        paused_s = max(paused_s, _seconds(now, row["today_ends_at"]))
    if paused_s > 0:
        return [], paused_s
    now_ms = _ms(now)
    taken = _taken(row, now_ms)
    free, next_ms = _free(taken, now_ms, call_limits, share)
    if wanted and not free:
        return [], (next_ms - now_ms) / 1000
    slot = Slot(
        now_ms + round((call_limits.deadline_s + call_limits.window_s) * 1000), share is not None
    )
    granted = [slot] * min(wanted, free, of_day)
    _save(tx, location_id, **_lists(taken + granted), today=row["today"] + len(granted))
    return granted, 0.0


def give_back(
    tx: Connection, location_id: LocationId, ended: Sequence[Ended], call_limits: CallLimits
) -> None:
    """Return slots: each is free a window after its call ended, rounded up to a full ms."""
    taken = _taken(_row(tx, location_id))
    now_ms = _ms(clock.now(tx))
    for slot, ago_s in ended:
        if slot in taken:  # else it expired, and another call may have it
            free_ms = now_ms + 1 + ceil((call_limits.window_s - ago_s) * 1000)
            taken[taken.index(slot)] = slot._replace(free_ms=free_ms)
    _save(tx, location_id, **_lists(taken))


def pause(tx: Connection, location_id: LocationId, seconds: float) -> None:
    """Stop all calls for a while, after a 429."""
    row = _row(tx, location_id)
    until = clock.now(tx) + timedelta(seconds=seconds)
    _save(tx, location_id, paused_until=max(until, row["paused_until"] or until))


def correct(
    tx: Connection, location_id: LocationId, reported: ReportedLimits, call_limits: CallLimits
) -> None:
    """Correct the count where GHL reports less budget: other programs call it too."""
    row = _row(tx, location_id)
    read_at = clock.now(tx) - timedelta(seconds=reported.ago_s)
    taken = _taken(row, _ms(read_at))
    if reported.remaining is not None:
        unknown = call_limits.limit - len(taken) - reported.remaining
        taken += [Slot(_ms(read_at) + round(call_limits.window_s * 1000))] * unknown
    today, ends_at = row["today"], row["today_ends_at"]
    if reported.daily_remaining is not None:
        today = max(today, DAILY_LIMIT - reported.daily_remaining)
    if reported.daily_reset_s is not None:
        ends_at = read_at + timedelta(seconds=reported.daily_reset_s)
    _save(tx, location_id, **_lists(taken), today=today, today_ends_at=ends_at)


def day_of(tx: Connection, location_id: LocationId) -> DayUsage | None:
    """Return the calls of the current day; None where there were none yet."""
    this = select(_quota.c.today, _quota.c.today_ends_at).where(
        _quota.c.location_id == location_id, _quota.c.today_ends_at > clock.now(tx)
    )
    row = tx.execute(this).one_or_none()
    return None if row is None else DayUsage(*row)


def _row(tx: Connection, location_id: LocationId) -> RowMapping:
    """Read a location's row for update, starting a new day where the last one has ended."""
    this = select(_quota).where(_quota.c.location_id == location_id).with_for_update()
    row = tx.execute(this).mappings().one_or_none()
    now = clock.now(tx)
    if row is None:
        ends_at = now + timedelta(days=1)
        tx.execute(
            insert(_quota).values(
                location_id=location_id, slots=[], behind=[], today=0, today_ends_at=ends_at
            )
        )
    elif row["today_ends_at"] <= now:
        _save(tx, location_id, today=0, today_ends_at=now + timedelta(days=1))
    else:
        return row
    return tx.execute(this).mappings().one()


def _save(tx: Connection, location_id: LocationId, **values: object) -> None:
    tx.execute(update(_quota).where(_quota.c.location_id == location_id).values(**values))


def _taken(row: RowMapping, at_ms: int = 0) -> list[Slot]:
    """List the slots taken at a moment, by the time they become free."""
    both = [Slot(free_ms) for free_ms in row["slots"]]
    both += [Slot(free_ms, is_behind=True) for free_ms in row["behind"]]
    return sorted(slot for slot in both if slot.free_ms > at_ms)


def _lists(taken: Sequence[Slot]) -> dict[str, list[int]]:
    """Return slots as the columns of the table."""
    return {
        "slots": [slot.free_ms for slot in taken if not slot.is_behind],
        "behind": [slot.free_ms for slot in taken if slot.is_behind],
    }


def _free(
    taken: Sequence[Slot], now_ms: int, call_limits: CallLimits, share: int | None
) -> tuple[int, int]:
    """Count the free slots; without any, return when the next one is free."""
    bounds = [_below(call_limits.limit, [slot.free_ms for slot in taken], now_ms)]
    if share is not None:
        share = max(1, share)
        behind = [slot.free_ms for slot in taken if slot.is_behind]
        rest_ms = round(call_limits.window_s * 1000 * (PIECES - 1) / PIECES)
        latest = [free_ms - rest_ms for free_ms in behind if free_ms - rest_ms > now_ms]
        bounds += [_below(share, behind, now_ms), _below(ceil(share / PIECES), latest, now_ms)]
    return min(free for free, _ in bounds), max(next_ms for _, next_ms in bounds)


def _below(limit: int, ends: list[int], now_ms: int) -> tuple[int, int]:
    """Return how many are free below a limit; without any, when one becomes free."""
    free = limit - len(ends)
    return (free, now_ms) if free > 0 else (0, ends[-limit])


def _ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


def _seconds(now: datetime, until: datetime | None) -> float:
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())
