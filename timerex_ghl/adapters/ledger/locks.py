"""Locks with a fencing number, shared by all processes of a ledger."""

from collections.abc import Collection
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
    func,
    insert,
    select,
    update,
)

from timerex_ghl.adapters.ledger import clock
from timerex_ghl.adapters.ledger.schema import UtcTime, metadata

_locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("number", BigInteger, nullable=False),
    Column("expires_at", UtcTime),
)


class Fence(NamedTuple):
    """A holder's proof that the locks are its own.

    Attributes:
        number: Higher than any number these locks had before.
    """

    names: tuple[str, ...]
    holder: str
    number: int


def try_lock(tx: Connection, names: Collection[str], holder: str, ttl_s: float) -> Fence | None:
    """Take all of these locks, or none (None). One whose time has run out is taken over."""
    wanted = tuple(sorted(set(names)))
    now = clock.now(tx)
    rows = tx.execute(select(_locks).where(_locks.c.name.in_(wanted))).all()
    if any(row.expires_at is not None and row.expires_at > now for row in rows):
        return None
    fence = Fence(wanted, holder, max((row.number for row in rows), default=0) + 1)
    known = {row.name for row in rows}
    new = [{"name": name, "number": 0} for name in wanted if name not in known]
    if new:
        tx.execute(insert(_locks), new)
    tx.execute(
        update(_locks)
        .where(_locks.c.name.in_(wanted))
        .values(holder=holder, number=fence.number, expires_at=_after(now, ttl_s))
    )
    return fence


def renew_lock(tx: Connection, fence: Fence, ttl_s: float) -> bool:
    """Hold the locks for longer. False: somebody else has taken one of them, all are lost.

    Locks that ran out but that nobody took are still the fence's own.
    """
    if _count(tx, _owned_by(fence)) < len(fence.names):
        return False
    tx.execute(
        update(_locks)
        .where(_locks.c.name.in_(fence.names))
        .values(expires_at=_after(clock.now(tx), ttl_s))
    )
    return True


def release_lock(tx: Connection, fence: Fence) -> None:
    """Let go of what is still held. The rows stay: their numbers only ever rise."""
    tx.execute(update(_locks).where(_owned_by(fence)).values(holder=None, expires_at=None))


def holds(tx: Connection, fence: Fence) -> bool:
    """Tell whether the fence still holds all of its locks, at this moment."""
    return _count(tx, _owned_by(fence), _locks.c.expires_at > clock.now(tx)) == len(fence.names)


def holder_of(tx: Connection, name: str) -> str | None:
    """Name who holds a lock; None: it is free."""
    return tx.scalar(
        select(_locks.c.holder).where(_locks.c.name == name, _locks.c.expires_at > clock.now(tx))
    )


def _owned_by(fence: Fence) -> ColumnElement[bool]:
    return and_(
        _locks.c.name.in_(fence.names),
        _locks.c.holder == fence.holder,
        _locks.c.number == fence.number,
    )


def _count(tx: Connection, *conditions: ColumnElement[bool]) -> int:
    return tx.execute(select(func.count()).where(*conditions)).scalar_one()


def _after(now: datetime, ttl_s: float) -> datetime:
    return now + timedelta(seconds=ttl_s)
