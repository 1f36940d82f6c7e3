"""Units of work: one caller's work, run alone or batched, and its result."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, NestedTransaction
from sqlalchemy.exc import SQLAlchemyError

from timerex_ghl.adapters.ledger.db.failures import failure_of

T = TypeVar("T")
Work = Callable[[Connection], T]
JointWork = Callable[[Connection, list[Any]], Sequence[Any]]
"""Work for many callers: takes a list of items, returns as many results in the same order."""


class Unit(Generic[T]):
    """One caller's work, its result, and the future the caller waits for.

    Attributes:
        joint: Equal work of several callers is done in one call.
        result: The work's return value, or its exception.
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
        """Make a unit that is not batched."""
        return cls(lambda tx, _items: [work(tx)], None, joint=False)

    def publish(self) -> None:
        """Set the caller's future, in the caller's event loop."""
        if self.future.done():  # cancelled, or published before the writer died
            return
        if isinstance(self.result, Exception):
            self.future.set_exception(self.result)
        else:
            self.future.set_result(self.result)


def call(work: Callable[[], T]) -> T:
    """Run work. A future cannot raise StopIteration: its caller would wait for ever."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("the work ran out of items") from error


def publish_all(group: "Iterable[Unit[Any]]") -> None:
    """Wake the callers, once per event loop. A closed loop has no waiting callers."""
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
    """Group units with the same joint work, in order of arrival."""
    bundles: dict[object, list[Unit[Any]]] = {}
    for unit in group:
        bundles.setdefault(unit.work if unit.joint else unit, []).append(unit)
    return list(bundles.values())


class UndoneError(Exception):
    """The work of a single unit failed, and its transaction is rolled back."""


def run_alone(unit: "Unit[Any]", tx: Connection) -> None:
    """Run the only unit of a transaction: no savepoint is needed.

    Raises:
        UndoneError: The work failed.
    """
    try:
        [unit.result] = call(lambda: unit.work(tx, [unit.item]))
    except Exception as error:
        unit.result = failure_of(error) or error
        raise UndoneError from error


def run(units: "list[Unit[Any]]", tx: Connection) -> None:
    """Run units in a savepoint, so that their error does not affect the rest of the group.

    Raises:
        Exception: The error ended the whole transaction (a full disk, a lost server).
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
            units[0].result = failure_of(error) or error
        else:  # one item failed the whole batch: run each alone
            for unit in units:
                run([unit], tx)
    else:
        savepoint.commit()


def _is_undone(savepoint: NestedTransaction, tx: Connection) -> bool:
    """Roll back to the savepoint. False: the whole transaction is lost."""
    try:
        savepoint.rollback()
    except SQLAlchemyError:
        return False
    return not tx.invalidated
