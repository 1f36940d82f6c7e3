"""The ledger's writer: queued units of work share one transaction and one commit.

It is a thread, so that no event loop waits for a disk or a lock. On SQLite it can be the event loop
itself: a thread that waits for Python's GIL keeps the file's lock and blocks other processes.
"""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine

from timerex_ghl.adapters.ledger.db.failures import failure_of
from timerex_ghl.adapters.ledger.db.options import LOCK_WAIT
from timerex_ghl.adapters.ledger.db.sqlite import DatabaseLockedError
from timerex_ghl.adapters.ledger.db.units import (
    UndoneError,
    Unit,
    of_the_same_work,
    publish_all,
    run,
    run_alone,
)
from timerex_ghl.domain.shared.errors import FatalError, RetryableError

T = TypeVar("T")

MAX_GROUP = 200
"""Largest number of units in one transaction."""

LINGER_S = 0.05
"""How long the writer waits at most for callers in `in_step`."""

AT_ONCE_S = 0.02
"""How long the event loop tries to lock the file before it leaves the group to the thread."""


Turn = Literal["nobody", "called", "loop", "thread"]
"""Who runs the queued units. `called`: the event loop, in its next iteration."""


class LedgerWriter:
    """A queue of units of work, and the thread that runs them.

    Args:
        engine: The engine with the one connection that writes.
        limit_s: A transaction older than this takes no further unit.
        in_loop: Run units in their callers' event loop while no other process is writing.
    """

    def __init__(self, engine: Engine, limit_s: float, *, in_loop: bool = False) -> None:
        self._engine = engine
        self._limit_s = limit_s
        self._at_once = engine.execution_options(**{LOCK_WAIT: AT_ONCE_S}) if in_loop else None
        self._whose: Turn = "nobody"
        self._turn = threading.Condition()
        self._waiting: list[Unit[Any]] = []
        self._in_step = 0
        self._expected = 1
        self._closed: str | None = None
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: "Unit[T]") -> "asyncio.Future[T]":
        """Queue a unit. Its future ends when its transaction is durable, or its work has failed.

        Raises:
            FatalError: The ledger is closed, or its writer has died.
        """
        with self._turn:
            if self._closed is not None:
                raise FatalError(self._closed)
            self._waiting.append(unit)
            if self._at_once is not None and self._whose == "nobody" and not self._in_step:
                self._whose = "called"
                unit.loop.call_soon(self._serve_here)
            elif len(self._waiting) >= self._expected:
                self._turn.notify()
        return unit.future

    @contextmanager
    def in_step(self) -> Generator[None]:
        """Batch this caller's writes: the writer waits for all callers in this context.

        One commit and one statement then serve many. For bulk work only: each write waits up to
        `LINGER_S`.
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
        """Finish queued units, then stop."""
        with self._turn:
            self._closed = self._closed or "the ledger is closed"
            self._turn.notify()
        self._thread.join()

    def _serve_here(self) -> None:
        """Run a group in the event loop. Where the file is locked, leave it to the thread."""
        with self._turn:
            self._whose = "loop"
            group = self._next_group()
        whose: Turn = "nobody"
        try:
            self._execute(group, self._at_once)
        except DatabaseLockedError:
            whose = "thread"
        except BaseException as error:
            self._die(group, f"the ledger's writer died of {type(error).__name__}: start again")
            raise
        with self._turn:
            if self._waiting and whose == "nobody" and not self._in_step:
                whose = "called"
                asyncio.get_running_loop().call_soon(self._serve_here)
            self._whose = whose
            self._turn.notify()

    def _serve(self) -> None:
        group: list[Unit[Any]] = []
        try:
            while group := self._take_group():
                self._execute(group)
                with self._turn:
                    self._whose = "thread" if self._waiting else "nobody"
        except BaseException as error:  # noqa: BLE001  no caller may wait for a dead thread
            self._die(group, f"the ledger's writer died of {type(error).__name__}: start again")

    def _take_group(self) -> "list[Unit[Any]]":
        """Wait for units. Empty: closed, and the queue is empty."""
        with self._turn:
            self._wait_for(1, None)
            self._wait_for(self._in_step, LINGER_S)
            self._whose = "thread"
            return self._next_group()

    def _next_group(self) -> "list[Unit[Any]]":
        group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        return group

    def _wait_for(self, number: int, timeout_s: float | None) -> None:
        self._expected = number
        self._turn.wait_for(self._is_threads_turn, timeout_s)
        self._expected = 1

    def _is_threads_turn(self) -> bool:
        if self._whose == "loop":  # it may requeue part of its group
            return False
        is_enough = self._whose != "called" and len(self._waiting) >= self._expected
        return is_enough or self._closed is not None

    def _execute(self, group: "list[Unit[Any]]", at_once: Engine | None = None) -> None:
        """Run and commit the group in one transaction, then publish each unit's result.

        Raises:
            DatabaseLockedError: With `at_once`, another process is writing. The group is requeued.
        """
        group = [unit for unit in group if not unit.future.cancelled()]
        if not group:
            return
        try:
            with (at_once or self._engine).begin() as tx:
                if len(group) == 1:
                    run_alone(group[0], tx)
                else:
                    group = self._run_while_short(group, tx)
        except UndoneError:
            pass  # the unit's result is its error
        except Exception as error:  # none of the group was stored: an error for each caller
            if at_once is not None and isinstance(error, DatabaseLockedError):
                with self._turn:
                    self._waiting[:0] = group
                raise
            for unit in group:
                unit.result = _failure_of_group(error)
        publish_all(group)

    def _run_while_short(self, group: "list[Unit[Any]]", tx: Connection) -> "list[Unit[Any]]":
        """Run units until the time limit; return those run. The rest is requeued in order."""
        ends_at = time.monotonic() + self._limit_s
        bundles = of_the_same_work(group)
        for number, units in enumerate(bundles, 1):
            run(units, tx)
            if time.monotonic() > ends_at:
                late = {id(unit) for units in bundles[number:] for unit in units}
                with self._turn:
                    self._waiting[:0] = [unit for unit in group if id(unit) in late]
                return [unit for unit in group if id(unit) not in late]
        return group

    def _die(self, group: "list[Unit[Any]]", reason: str) -> None:
        with self._turn:
            self._closed = reason
            unsent, self._waiting = [*group, *self._waiting], []
        for unit in unsent:
            unit.result = FatalError(reason)
        publish_all(unsent)


def _failure_of_group(error: Exception) -> Exception:
    """Return a new error for one caller, saying why the group was not stored."""
    if isinstance(error, RetryableError):
        return RetryableError(str(error), after_s=error.after_s)
    if isinstance(error, FatalError):
        return FatalError(str(error))
    failure = failure_of(error) or RetryableError(f"the ledger failed: {type(error).__name__}")
    failure.__cause__ = error
    return failure
