"""Locks with a fencing number, shared by all processes of a ledger."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert

_locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("number", BigInteger, nullable=False),
    Column("expires_at", UtcTime),
)


_THESE = _locks.c.name.in_(bindparam("names", expanding=True))
_BY_NAMES = select(_locks).where(_THESE)
_RELEASE = (
    update(_locks)
    .where(
        _THESE,
        tuple_(_locks.c.holder, _locks.c.number).in_(bindparam("holders", expanding=True)),
    )
    .values(holder=None, expires_at=None)
)


class Fence(NamedTuple):
    """A holder's proof that it owns the locks.

    Attributes:
        number: Fencing number, higher than any these locks had before.
    """

    names: tuple[str, ...]
    holder: str
    number: int


class WantedLocks(NamedTuple):
    """The locks a holder requests, all or none."""

    names: tuple[str, ...]
    holder: str
    ttl_s: float


def try_lock(tx: Connection, names: Collection[str], holder: str, ttl_s: float) -> Fence | None:
    """Take all of these locks, or none (None). An expired lock is taken over."""
    return try_locks(tx, [WantedLocks(tuple(names), holder, ttl_s)])[0]


def try_locks(tx: Connection, wanted: Sequence[WantedLocks]) -> list[Fence | None]:
    """Take locks for several holders in order, each all or none."""
    now = clock.now(tx)
    numbers: dict[str, int] = {}
    taken: set[str] = set()
    for row in tx.execute(_BY_NAMES, {"names": _names(wanted)}):
        numbers[row.name] = row.number
        if row.expires_at is not None and row.expires_at > now:
            taken.add(row.name)
    fences: list[Fence | None] = []
    rows: list[dict[str, str | int | datetime]] = []
    for names, holder, ttl_s in wanted:
        if not taken.isdisjoint(names):
            fences.append(None)
            continue
        taken.update(names)
        number = max((numbers.get(name, 0) for name in names), default=0) + 1
        fences.append(Fence(tuple(sorted(set(names))), holder, number))
        until = _after(now, ttl_s)
        rows += [
            {"name": name, "holder": holder, "number": number, "expires_at": until}
            for name in set(names)
        ]
    upsert(tx, _locks, rows, keys=["name"])
    return fences


def taken(tx: Connection, names: Collection[str]) -> set[str]:
    """Return which of these locks are taken."""
    condition = and_(_locks.c.name.in_(names), _locks.c.expires_at > clock.now(tx))
    return set(tx.scalars(select(_locks.c.name).where(condition)))


def renew_lock(tx: Connection, fence: Fence, ttl_s: float) -> bool:
    """Extend the locks. False: another holder has taken one of them, so all are lost.

    Expired locks that no other holder took still belong to the fence.
    """
    if _count(tx, _owned_by(fence)) < len(fence.names):
        return False
    tx.execute(
        update(_locks)
        .where(_locks.c.name.in_(fence.names))
        .values(expires_at=_after(clock.now(tx), ttl_s))
    )
    return True


def release_locks(tx: Connection, fences: Sequence[Fence]) -> None:
    """Release the locks these fences still own."""
    if not fences:
        return
    names = [(fence.holder, fence.number) for fence in fences]
    tx.execute(_RELEASE, {"names": _names(fences), "holders": names})


def release_dead(tx: Connection, is_dead: Callable[[str], bool]) -> int:
    """Release the locks of dead holders; return their number.

    The fencing numbers stay, so a holder wrongly declared dead finds its fence invalid.
    """
    found = tx.execute(
        select(_locks.c.name, _locks.c.holder).where(_locks.c.expires_at > clock.now(tx))
    )
    names = [row.name for row in found if is_dead(row.holder)]
    if names:
        tx.execute(
            update(_locks).where(_locks.c.name.in_(names)).values(holder=None, expires_at=None)
        )
    return len(names)


def forget_idle(tx: Connection, limit: int) -> int:
    """Delete rows of free locks; return their number.

    A fence contains its holder's unique name: if a lock was deleted and taken again, an old fence
    is invalid although the numbers restart.
    """
    idle = select(_locks.c.name).where(_locks.c.holder.is_(None)).limit(limit)
    return tx.execute(delete(_locks).where(_locks.c.name.in_(idle))).rowcount


def all_valid(tx: Connection, fences: Sequence[Fence]) -> list[bool]:
    """Return for each fence whether it owns all of its locks now."""
    now = clock.now(tx)
    rows = tx.execute(_BY_NAMES, {"names": _names(fences)})
    found = {
        (row.name, row.holder, row.number)
        for row in rows
        if row.expires_at is not None and row.expires_at > now
    }
    return [all((name, f.holder, f.number) in found for name in f.names) for f in fences]


def holder_of(tx: Connection, name: str) -> str | None:
    """Return the holder of a lock; None: it is free."""
    return tx.scalar(
        select(_locks.c.holder).where(_locks.c.name == name, _locks.c.expires_at > clock.now(tx))
    )


def _owned_by(fence: Fence) -> ColumnElement[bool]:
    return and_(
        _locks.c.name.in_(fence.names),
        _locks.c.holder == fence.holder,
        _locks.c.number == fence.number,
    )


def _names(some: Iterable[WantedLocks | Fence]) -> list[str]:
    return sorted({name for one in some for name in one.names})


def _count(tx: Connection, *conditions: ColumnElement[bool]) -> int:
    return tx.execute(select(func.count()).where(*conditions)).scalar_one()


def _after(now: datetime, ttl_s: float) -> datetime:
    return now + timedelta(seconds=ttl_s)
