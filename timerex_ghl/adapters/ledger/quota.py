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
    tx: Connection, location_id: LocationId, wanted: int, pace: Pace
) -> tuple[list[SlotId], float]:
    """Take up to so many slots; hand them out, and where there is none the seconds to wait."""
    row = _row(tx, location_id)
    now = clock.now(tx)
    held_s = _seconds(now, row["held_until"])
    if row["today"] >= DAILY_LIMIT:
        held_s = max(held_s, _seconds(now, row["today_ends_at"]))
    if held_s > 0:
        return [], held_s
    now_ms = _ms(now)
    busy = _busy(row, now_ms)
    free = max(0, pace.limit - len(busy))
    if wanted and not free:
        return [], (busy[-pace.limit] - now_ms) / 1000
    slot = SlotId(now_ms + round((pace.deadline_s + pace.window_s) * 1000))
    granted = [slot] * min(wanted, free, DAILY_LIMIT - row["today"])
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


def _ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)


def _seconds(now: datetime, until: datetime | None) -> float:
    return 0.0 if until is None else max(0.0, (until - now).total_seconds())
