"""Units of work: what one caller wants done, alone or with others, and how it is told the end."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, NestedTransaction
from sqlalchemy.exc import SQLAlchemyError

from timerex_ghl.adapters.ledger.engine import outage_of

T = TypeVar("T")
Work = Callable[[Connection], T]
JointWork = Callable[[Connection, list[Any]], Sequence[Any]]
"""Work done for many at once: a list of items in, as many results out, in the same order."""


class Unit(Generic[T]):
    """One caller's work, what came of it, and the future on which the caller waits.

    Attributes:
        joint: Others may have the same work: then it is done for all of them at once.
        result: What came of it: what the work gave, or its error.
    """

    def __init__(self, work: JointWork, item: object, *, joint: bool) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.work = work
        self.item = item
        self.joint = joint
        self.result: Any = None

    @classmethod
    def of(cls, work: Work[T]) -> "Unit[T]":
        """Make a unit of a caller's own work."""
        return cls(lambda tx, _items: [work(tx)], None, joint=False)

    def publish(self) -> None:
        """Give the caller what came of it, in the caller's own thread."""
        if self.future.done():  # cancelled, or told before the writer died
            return
        if isinstance(self.result, Exception):
            self.future.set_exception(self.result)
        else:
            self.future.set_result(self.result)


def call(work: Callable[[], T]) -> T:
    """Run work. A future cannot carry StopIteration: its caller would wait for ever."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("the work ran out of items") from error


def publish_all(group: "Iterable[Unit[Any]]") -> None:
    """Wake the callers: each event loop once. One that is closed has nobody left who waits."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Unit[Any]]] = {}
    for unit in group:
        by_loop.setdefault(unit.loop, []).append(unit)
    for loop, units in by_loop.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_publish_here, units)


def _publish_here(units: "list[Unit[Any]]") -> None:
    for unit in units:
        unit.publish()


def of_the_same_work(group: "list[Unit[Any]]") -> "list[list[Unit[Any]]]":
    """Put units together that may be done at once, in the order of who came first."""
    bundles: dict[object, list[Unit[Any]]] = {}
    for unit in group:
        bundles.setdefault(unit.work if unit.joint else unit, []).append(unit)
    return list(bundles.values())


class UndoneError(Exception):
    """The work of a lone unit failed, and its transaction with it."""


def run_alone(unit: "Unit[Any]", tx: Connection) -> None:
    """Do the work of a unit that has the transaction for itself: no savepoint is needed.

    Raises:
        UndoneError: The work failed.
    """
    try:
        [unit.result] = call(lambda: unit.work(tx, [unit.item]))
    except Exception as error:
        unit.result = outage_of(error) or error
        raise UndoneError from error


def run(units: "list[Unit[Any]]", tx: Connection) -> None:
    """Do the work of some units in a savepoint. Their error is theirs, and leaves the group alone.

    Raises:
        Exception: The error took the whole transaction with it (a full disk, a lost server).
    """
    savepoint = tx.begin_nested()
    try:
        results = call(lambda: units[0].work(tx, [unit.item for unit in units]))
        for unit, result in zip(units, results, strict=True):
            unit.result = result
    except Exception as error:
        if not _is_undone(savepoint, tx):
            raise
        if len(units) == 1:
            units[0].result = outage_of(error) or error
        else:  # one of them spoilt it for all: each by itself now
            for unit in units:
                run([unit], tx)
    else:
        savepoint.commit()


def _is_undone(savepoint: NestedTransaction, tx: Connection) -> bool:
    """Roll back to the savepoint. False: it is gone, and the transaction around it too."""
    try:
        savepoint.rollback()
    except SQLAlchemyError:
        return False
    return not tx.invalidated
