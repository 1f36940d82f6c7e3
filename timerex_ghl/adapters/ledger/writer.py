"""The one thread that writes: it takes all that waits into one transaction and commits it once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, NestedTransaction
from sqlalchemy.exc import SQLAlchemyError

from timerex_ghl.adapters.ledger.engine import outage_of
from timerex_ghl.sync.errors import FatalError, RetryableError

T = TypeVar("T")

MAX_GROUP = 200
"""Units in one transaction; what is beyond it goes with the next."""


class Writer:
    """A queue of units of work, and the thread that carries them out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Condition()
        self._waiting: list[_Unit[Any]] = []
        self._closed: str | None = None
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue work. The future ends once its transaction is durable, or the work has failed.

        Raises:
            FatalError: The ledger is closed, or its writer has died.
        """
        unit = _Unit(work)
        with self._turn:
            if self._closed is not None:
                raise FatalError(self._closed)
            self._waiting.append(unit)
            self._turn.notify()
        return unit.future

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._turn:
            self._closed = self._closed or "the ledger is closed"
            self._turn.notify()
        self._thread.join()

    def _serve(self) -> None:
        group: list[_Unit[Any]] = []
        try:
            while group := self._take_group():
                self._carry_out([unit for unit in group if unit.start()])
        except BaseException as error:  # noqa: BLE001  nobody may wait for a thread that is gone
            self._die(group, f"the ledger's writer died of {type(error).__name__}: start again")

    def _take_group(self) -> "list[_Unit[Any]]":
        """Wait for work. Empty: closed, and nothing is left."""
        with self._turn:
            self._turn.wait_for(lambda: self._waiting or self._closed is not None)
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        return group

    def _carry_out(self, group: "list[_Unit[Any]]") -> None:
        """Commit the group at once, then tell each caller what came of its unit."""
        try:
            with self._engine.begin() as tx:
                for unit in group:
                    unit.run(tx)
        except Exception as error:  # noqa: BLE001  none of the group was stored: each caller's error
            for unit in group:
                unit.future.set_exception(_failure_of_group(error))
        else:
            for unit in group:
                unit.tell()

    def _die(self, group: "list[_Unit[Any]]", reason: str) -> None:
        with self._turn:
            self._closed = reason
            left, self._waiting = [*group, *self._waiting], []
        for unit in left:
            if not unit.future.done():
                unit.future.set_exception(FatalError(reason))


class _Unit(Generic[T]):
    """One piece of work, what came of it, and the caller who waits for that.

    Attributes:
        tell: Gives the caller what came of it; to be called once the group is committed.
    """

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.future = Future[T]()
        self.tell: Callable[[], object] = self.future.cancel
        self._work = work

    def start(self) -> bool:
        """Tell whether anybody still wants it; from here on it cannot be cancelled."""
        return self.future.set_running_or_notify_cancel()

    def run(self, tx: Connection) -> None:
        """Do the work in a savepoint. Its error is its caller's, and leaves the group alone.

        Raises:
            Exception: The error took the whole transaction with it (a full disk, a lost server).
        """
        savepoint = tx.begin_nested()
        try:
            result = call(self._work, tx)
        except Exception as error:
            if not _is_undone(savepoint, tx):
                raise
            self.tell = partial(self.future.set_exception, outage_of(error) or error)
        else:
            savepoint.commit()
            self.tell = partial(self.future.set_result, result)


def call(work: Callable[[Connection], T], tx: Connection) -> T:
    """Run work. A future cannot carry StopIteration: its caller would wait for ever."""
    try:
        return work(tx)
    except StopIteration as error:
        raise RuntimeError("the work ran out of items") from error


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
