"""The one who writes: all that waits goes into one transaction, which is committed once.

That is a thread, so that nobody waits for a disk or a lock. On SQLite it can be the event loop
itself: a thread that waits for Python's lock keeps the file's meanwhile, and other processes out.
"""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine

from timerex_ghl.adapters.ledger.engine import outage_of
from timerex_ghl.adapters.ledger.options import LOCK_WAIT
from timerex_ghl.adapters.ledger.sqlite import DatabaseLockedError
from timerex_ghl.adapters.ledger.units import (
    UndoneError,
    Unit,
    of_the_same_work,
    publish_all,
    run,
    run_alone,
)
from timerex_ghl.domain.errors import FatalError, RetryableError

T = TypeVar("T")

MAX_GROUP = 200
"""Units in one transaction; what is beyond it goes with the next."""

LINGER_S = 0.05
"""How long the writer waits for those who write in step, at most."""

AT_ONCE_S = 0.02
"""How long the event loop tries for the lock of a file, before it leaves that to the thread."""


Turn = Literal["nobody", "called", "loop", "thread"]
"""Whose turn it is to carry out what waits. `called`: the event loop's, once it comes to it."""


class LedgerWriter:
    """A queue of units of work, and the thread that carries them out.

    Args:
        engine: With the one connection that writes.
        limit_s: A transaction that has lasted this long takes no further unit.
        in_loop: Carry units out in their callers' event loop, where no other process is writing.
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
        """Queue a unit. Its future ends once its transaction is durable, or the work has failed.

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

    def _serve_here(self) -> None:
        """Carry out a group in the event loop. Where the file is locked, that is the thread's."""
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
        except BaseException as error:  # noqa: BLE001  nobody may wait for a thread that is gone
            self._die(group, f"the ledger's writer died of {type(error).__name__}: start again")

    def _take_group(self) -> "list[Unit[Any]]":
        """Wait for work. Empty: closed, and nothing is left."""
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
        if self._whose == "loop":  # it may put some of its group back
            return False
        is_enough = self._whose != "called" and len(self._waiting) >= self._expected
        return is_enough or self._closed is not None

    def _execute(self, group: "list[Unit[Any]]", at_once: Engine | None = None) -> None:
        """Commit the group at once, then tell each caller what came of its unit.

        Raises:
            DatabaseLockedError: `at_once`, and another process is writing. The group waits again.
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
            pass  # its result is its error
        except Exception as error:  # none of the group was stored: each caller's error
            if at_once is not None and isinstance(error, DatabaseLockedError):
                with self._turn:
                    self._waiting[:0] = group
                raise
            for unit in group:
                unit.result = _failure_of_group(error)
        publish_all(group)

    def _run_while_short(self, group: "list[Unit[Any]]", tx: Connection) -> "list[Unit[Any]]":
        """Run units one after the other; give those that were. The rest waits in its place."""
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
    """Tell one caller, with an error of its own, why the group was not stored."""
    if isinstance(error, RetryableError):
        return RetryableError(str(error), after_s=error.after_s)
    failure = outage_of(error) or RetryableError(f"the ledger failed: {type(error).__name__}")
    failure.__cause__ = error
    return failure
