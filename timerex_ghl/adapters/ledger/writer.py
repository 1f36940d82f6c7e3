"""The one thread that writes: it takes all that waits into one transaction and commits it once."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, NestedTransaction
from sqlalchemy.exc import SQLAlchemyError

from timerex_ghl.adapters.ledger.engine import outage_of
from timerex_ghl.sync.errors import FatalError, RetryableError

T = TypeVar("T")
Work = Callable[[Connection], T]
JointWork = Callable[[Connection, list[Any]], Sequence[Any]]
"""Work done for many at once: a list of items in, as many results out, in the same order."""

MAX_GROUP = 200
"""Units in one transaction; what is beyond it goes with the next."""

LONGEST_S = 0.005
"""A transaction that has lasted so long takes no further unit: other processes wait to write."""

LINGER_S = 0.05
"""How long the writer waits for those who write in step, at most."""


class Writer:
    """A queue of units of work, and the thread that carries them out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Condition()
        self._waiting: list[Unit[Any]] = []
        self._in_step = 0
        self._expected = 1
        self._closed: str | None = None
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: "Unit[T]") -> "asyncio.Future[T]":
        """Queue a unit. Its future ends once its transaction is durable, or the work has failed.

        Raises:
            FatalError: The ledger is closed, or its writer has died.
        """
        with self._turn:
            if self._closed is not None:
                raise FatalError(self._closed)
            self._waiting.append(unit)
            if len(self._waiting) >= self._expected:
                self._turn.notify()
        return unit.future

    @contextmanager
    def in_step(self) -> Generator[None]:
        """Be one of those who write in step: the writer waits for them, so as to serve all at once.

        One commit and one statement then do for many. For bulk work only: it costs each of them up
        to `LINGER_S`.
        """
        with self._turn:
            self._in_step += 1
        try:
            yield
        finally:
            with self._turn:
                self._in_step -= 1
                self._expected = min(self._expected, max(1, self._in_step))
                if len(self._waiting) >= self._expected:
                    self._turn.notify()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._turn:
            self._closed = self._closed or "the ledger is closed"
            self._turn.notify()
        self._thread.join()

    def _serve(self) -> None:
        group: list[Unit[Any]] = []
        try:
            while group := self._take_group():
                self._carry_out([unit for unit in group if not unit.future.cancelled()])
        except BaseException as error:  # noqa: BLE001  nobody may wait for a thread that is gone
            self._die(group, f"the ledger's writer died of {type(error).__name__}: start again")

    def _take_group(self) -> "list[Unit[Any]]":
        """Wait for work. Empty: closed, and nothing is left."""
        with self._turn:
            self._wait_for(1, None)
            self._wait_for(self._in_step, LINGER_S)
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        return group

    def _wait_for(self, number: int, timeout_s: float | None) -> None:
        self._expected = number
        self._turn.wait_for(
            lambda: len(self._waiting) >= self._expected or self._closed is not None, timeout_s
        )
        self._expected = 1

    def _carry_out(self, group: "list[Unit[Any]]") -> None:
        """Commit the group at once, then tell each caller what came of its unit."""
        try:
            with self._engine.begin() as tx:
                if len(group) == 1:
                    _run_alone(group[0], tx)
                else:
                    group = self._run_while_short(group, tx)
        except _UndoneError:
            pass  # its result is its error
        except Exception as error:  # noqa: BLE001  none of the group was stored: each caller's error
            for unit in group:
                unit.result = _failure_of_group(error)
        _tell(group)

    def _run_while_short(self, group: "list[Unit[Any]]", tx: Connection) -> "list[Unit[Any]]":
        """Run units one after the other; give those that were. The rest waits in its place."""
        ends_at = time.monotonic() + LONGEST_S
        bundles = _of_the_same_work(group)
        for number, units in enumerate(bundles, 1):
            _run(units, tx)
            if time.monotonic() > ends_at:
                late = {id(unit) for units in bundles[number:] for unit in units}
                with self._turn:
                    self._waiting[:0] = [unit for unit in group if id(unit) in late]
                return [unit for unit in group if id(unit) not in late]
        return group

    def _die(self, group: "list[Unit[Any]]", reason: str) -> None:
        with self._turn:
            self._closed = reason
            left, self._waiting = [*group, *self._waiting], []
        for unit in left:
            unit.result = FatalError(reason)
        _tell(left)


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

    def tell(self) -> None:
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


def _tell(group: "Iterable[Unit[Any]]") -> None:
    """Wake the callers: each event loop once. One that is closed has nobody left who waits."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Unit[Any]]] = {}
    for unit in group:
        by_loop.setdefault(unit.loop, []).append(unit)
    for loop, units in by_loop.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell_here, units)


def _tell_here(units: "list[Unit[Any]]") -> None:
    for unit in units:
        unit.tell()


def _of_the_same_work(group: "list[Unit[Any]]") -> "list[list[Unit[Any]]]":
    """Put units together that may be done at once, in the order of who came first."""
    bundles: dict[object, list[Unit[Any]]] = {}
    for unit in group:
        bundles.setdefault(unit.work if unit.joint else unit, []).append(unit)
    return list(bundles.values())


class _UndoneError(Exception):
    """The work of a lone unit failed, and its transaction with it."""


def _run_alone(unit: "Unit[Any]", tx: Connection) -> None:
    """Do the work of a unit that has the transaction for itself: no savepoint is needed.

    Raises:
        _UndoneError: The work failed.
    """
    try:
        [unit.result] = call(lambda: unit.work(tx, [unit.item]))
    except Exception as error:
        unit.result = outage_of(error) or error
        raise _UndoneError from error


def _run(units: "list[Unit[Any]]", tx: Connection) -> None:
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
                _run([unit], tx)
    else:
        savepoint.commit()


def _is_undone(savepoint: NestedTransaction, tx: Connection) -> bool:
    """Roll back to the savepoint. False: it is gone, and the transaction around it too."""
    try:
        savepoint.rollback()
    except SQLAlchemyError:
        return False
    return not tx.invalidated


def _failure_of_group(error: Exception) -> Exception:
    """Tell one caller, with an error of its own, why the group was not stored."""
    if isinstance(error, RetryableError):
        return RetryableError(str(error), after_s=error.after_s)
    failure = outage_of(error) or RetryableError(f"the ledger failed: {type(error).__name__}")
    failure.__cause__ = error
    return failure
