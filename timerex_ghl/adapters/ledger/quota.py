"""Room for calls: slots of a sliding window per location, shared by every process of the ledger.

A call takes a slot and gives it back when it ended; the slot is free again a whole window later. So
no window of that length, wherever it is put and however long calls are on their way, holds more
calls than there are slots. A slot of a process that died is free once its call cannot be alive.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple, NewType

from sqlalchemy import Column, Connection, Integer, RowMapping, Table, Text, insert, select, update

from timerex_ghl.adapters.ledger import clock
from timerex_ghl.adapters.ledger.schema import JsonText, UtcTime, metadata
from timerex_ghl.sync.models import LocationId

SlotId = NewType("SlotId", int)
"""When the slot is free if nobody gives it back, in ms since 1970. Equal ones are alike."""

DAILY_LIMIT = 200_000
"""Source: GHL's rate limits, per app and location."""

PIECES = 5
"""Whoever leaves room takes no more than this part of its share in such a part of the window.

So its slots come back evenly: live work that needs them waits for the next ones for a fifth of a
window at most, and not for a whole one.
"""

LEFT_OF_DAY = DAILY_LIMIT // 10
"""The day's last calls, for whoever leaves nothing to others."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_quota = Table(
    "quota",
    metadata,
    Column("location_id", Text, primary_key=True),
    Column("slots", JsonText, nullable=False),  # ms since 1970 at which each taken slot is free
    Column("held_until", UtcTime),
    Column("today", Integer, nullable=False),
    Column("today_ends_at", UtcTime, nullable=False),
)


class Pace(NamedTuple):
    """How fast a location may be called.

    Attributes:
        limit: Calls in any window.
        window_s: The window's length in seconds.
        deadline_s: A call lives no longer than this.
    """

    limit: int = 100
    window_s: float = 10.0
    deadline_s: float = 25.0


class Ended(NamedTuple):
    """A call that is over, and how long ago it ended."""

    slot: SlotId
    ago_s: float


class Seen(NamedTuple):
    """What GHL's answer said about the room that is left, and how long ago. None: not said."""

    remaining: int | None
    daily_remaining: int | None
    daily_reset_s: float | None
    ago_s: float = 0.0


class Day(NamedTuple):
    """The calls of the day that runs, and when it ends."""

    calls: int
    ends_at: datetime


class Usage(NamedTuple):
    """How much of a location's room is taken."""

    in_window: int
    today: int
    held_until: datetime | None


def take_slots(
    tx: Connection, location_id: LocationId, wanted: int, pace: Pace, leaving: int = 0
) -> tuple[list[SlotId], float]:
    """Take up to so many slots; hand them out, and where there is none the seconds to wait.

    Whoever is `leaving` slots of the window free for others leaves them the end of the day too, and
    spreads its own over the window. One slot may always be taken.
    """
    row = _row(tx, location_id)
    now = clock.now(tx)
    held_s = _seconds(now, row["held_until"])
    of_day = DAILY_LIMIT - row["today"] - (LEFT_OF_DAY if leaving else 0)
    if of_day <= 0:
        held_s = max(held_s, _seconds(now, row["today_ends_at"]))
    if held_s > 0:
        return [], held_s
    now_ms = _ms(now)
    busy = _busy(row, now_ms)
    free, next_ms = _free(busy, now_ms, pace, leaving)
    if wanted and not free:
        return [], (next_ms - now_ms) / 1000
    slot = SlotId(now_ms + round((pace.deadline_s + pace.window_s) * 1000))
    granted = [slot] * min(wanted, free, of_day)
    _save(tx, location_id, slots=busy + granted, today=row["today"] + len(granted))
    return granted, 0.0


def give_back(tx: Connection, location_id: LocationId, ended: Sequence[Ended], pace: Pace) -> None:
    """Give slots back: each is free a window after its call ended, and no part of a ms before."""
    kept: list[int] = [*_row(tx, location_id)["slots"]]
    now_ms = _ms(clock.now(tx))
    for slot, ago_s in ended:
        if slot in kept:  # else its time ran out, and it may be somebody else's by now
            kept[kept.index(slot)] = now_ms + 1 + ceil((pace.window_s - ago_s) * 1000)
    _save(tx, location_id, slots=kept)


def hold(tx: Connection, location_id: LocationId, seconds: float) -> None:
    """Let nobody through for a while: GHL answered 429."""
    row = _row(tx, location_id)
    until = clock.now(tx) + timedelta(seconds=seconds)
    _save(tx, location_id, held_until=max(until, row["held_until"] or until))


def correct(tx: Connection, location_id: LocationId, seen: Seen, pace: Pace) -> None:
    """Believe GHL where it saw less room than we did at that moment: others call it too."""
    row = _row(tx, location_id)
    seen_at = clock.now(tx) - timedelta(seconds=seen.ago_s)
    slots = _busy(row, _ms(seen_at))
    if seen.remaining is not None:
        unknown = pace.limit - len(slots) - seen.remaining
        slots += [_ms(seen_at) + round(pace.window_s * 1000)] * unknown
    today, ends_at = row["today"], row["today_ends_at"]
    if seen.daily_remaining is not None:
        today = max(today, DAILY_LIMIT - seen.daily_remaining)
    if seen.daily_reset_s is not None:
        ends_at = seen_at + timedelta(seconds=seen.daily_reset_s)
    _save(tx, location_id, slots=slots, today=today, today_ends_at=ends_at)


def usage(tx: Connection, location_id: LocationId) -> Usage:
    """Tell how much room is taken."""
    row = tx.execute(select(_quota).where(_quota.c.location_id == location_id)).mappings()
    found = row.one_or_none()
    if found is None:
        return Usage(0, 0, None)
    now_ms = _ms(clock.now(tx))
    taken = sum(free_at > now_ms for free_at in found["slots"])
    return Usage(taken, found["today"], found["held_until"])


def day_of(tx: Connection, location_id: LocationId) -> Day | None:
    """Tell how many calls the day has seen; None where none was made since the last one ended."""
    this = select(_quota.c.today, _quota.c.today_ends_at).where(
        _quota.c.location_id == location_id, _quota.c.today_ends_at > clock.now(tx)
    )
    row = tx.execute(this).one_or_none()
    return None if row is None else Day(*row)


def _row(tx: Connection, location_id: LocationId) -> RowMapping:
    """Read a location's row for change, with a fresh day where the last one is over."""
    this = select(_quota).where(_quota.c.location_id == location_id).with_for_update()
    row = tx.execute(this).mappings().one_or_none()
    now = clock.now(tx)
    if row is None:
        ends_at = now + timedelta(days=1)
        tx.execute(
            insert(_quota).values(location_id=location_id, slots=[], today=0, today_ends_at=ends_at)
        )
    elif row["today_ends_at"] <= now:
        _save(tx, location_id, today=0, today_ends_at=now + timedelta(days=1))
    else:
        return row
    return tx.execute(this).mappings().one()


def _save(tx: Connection, location_id: LocationId, **values: object) -> None:
    tx.execute(update(_quota).where(_quota.c.location_id == location_id).values(**values))


def _busy(row: RowMapping, at_ms: int) -> list[int]:
    """List when the slots that are taken at a moment will be free, the next one first."""
    return sorted(free_at for free_at in row["slots"] if free_at > at_ms)


def _free(busy: list[int], now_ms: int, pace: Pace, leaving: int) -> tuple[int, int]:
    """Count the slots that may be taken, and where there is none tell when one may."""
    share = max(1, pace.limit - leaving)
    free, next_ms = _below(share, busy, now_ms)
    if not leaving:
        return free, next_ms
    rest_ms = round(pace.window_s * 1000 * (PIECES - 1) / PIECES)
    latest = [free_at - rest_ms for free_at in busy if free_at - rest_ms > now_ms]
    also_free, also_next_ms = _below(ceil(share / PIECES), latest, now_ms)
    return min(free, also_free), max(next_ms, also_next_ms)


def _below(limit: int, ends: list[int], now_ms: int) -> tuple[int, int]:
    """Count what is missing to a limit; where nothing is, tell when enough will have ended."""
    free = limit - len(ends)
    return (free, now_ms) if free > 0 else (0, ends[-limit])


def _ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


def _seconds(now: datetime, until: datetime | None) -> float:
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())
