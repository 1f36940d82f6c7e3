"""The ledger: units of work on one database, written one after another, read concurrently."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from timerex_ghl.adapters.ledger.db.engine import READERS, Engines, make_engines
from timerex_ghl.adapters.ledger.db.failures import driver_errors, failure_of, opening_failure
from timerex_ghl.adapters.ledger.db.options import DEFAULTS, LedgerOptions
from timerex_ghl.adapters.ledger.db.units import Unit, call
from timerex_ghl.adapters.ledger.db.wake import Alarm, listening
from timerex_ghl.adapters.ledger.db.writer import LedgerWriter
from timerex_ghl.adapters.ledger.migrations import is_at_head
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.errors import SettingsError

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


class Ledger:
    """The program's database. Use it from any event loop; get one from `open_ledger`.

    A unit of work is a plain function whose first argument is the open transaction. It may share
    a transaction with others, and must only read and write the ledger.

    Attributes:
        key: Decrypts stored secrets; None where this process needs none.
    """

    def __init__(
        self,
        engines: Engines,
        key: SecretKey | None = None,
        *,
        in_loop: bool = False,
        options: LedgerOptions = DEFAULTS,
    ) -> None:
        self.key = key
        self._engines = engines
        is_file = engines.writer.dialect.name == "sqlite"
        self._writer = LedgerWriter(
            engines.writer, options.transaction_limit_s, in_loop=in_loop and is_file
        )
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit of work that changes the ledger; return once the change is durable.

        An error rolls back this unit only. A caller that is cancelled while waiting cannot know
        whether its unit was stored.

        Raises:
            RetryableError: The database failed or stayed locked. After a lost PostgreSQL server
                the unit may have been stored: check before repeating it.
            FatalError: The database cannot work before someone corrects it, or the writer died.
        """
        unit = Unit[T].of(lambda tx: work(tx, *args, **kwargs))
        return await self._writer.submit(unit)

    def post(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> "asyncio.Future[T]":
        """Queue a unit of work that changes the ledger, ahead of later ones, without waiting.

        The future ends when the change is durable. It may be ignored: an outage is then silent.
        """
        posted = self._writer.submit(Unit[T].of(lambda tx: work(tx, *args, **kwargs)))
        posted.add_done_callback(lambda done: done.cancelled() or done.exception())
        return posted

    async def write_together(
        self, work: Callable[[Connection, list[Item]], Sequence[T | Exception]], item: Item
    ) -> T:
        """Run a unit of work that is batched with equal ones of other callers.

        The work gets the items of all waiting callers and returns as many results, in the same
        order; an exception among them is raised at its caller. Where the work itself fails, each
        item is tried alone. Everything else is as in `write`.
        """
        unit = Unit[T](work, item, joint=True)
        return await self._writer.submit(unit)

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a unit of work that only reads, from one database snapshot.

        Raises:
            RetryableError: The database failed.
            FatalError: The database cannot work before someone corrects it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._readers, lambda: self._read(lambda tx: work(tx, *args, **kwargs))
        )

    def in_step(self) -> AbstractContextManager[None]:
        """Batch this caller's writes with others: one statement and one commit for many.

        For bulk work: each write waits briefly for the others.
        """
        return self._writer.in_step()

    def listening(self) -> AbstractAsyncContextManager[Alarm]:
        """Return an alarm that rings whenever any process stores an event."""
        return listening(self._engines)

    def close(self) -> None:
        """Finish queued units and close the database. Blocks until then."""
        self._writer.close()
        self._readers.shutdown()
        self._engines.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engines.reader.begin() as tx:
                return call(lambda: work(tx))
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            raise failure from error


@asynccontextmanager
async def open_ledger(
    url: str,
    *,
    key: SecretKey | None = None,
    in_loop: bool = False,
    options: LedgerOptions = DEFAULTS,
) -> AsyncGenerator[Ledger]:
    """Open the ledger, after creating or migrating its tables.

    Args:
        url: SQLAlchemy URL.
        key: Decrypts stored secrets.
        in_loop: Write to an SQLite file from the event loop while no other process has its lock.
            For a process with many short units next to other writers: a writer thread would wait
            for Python's GIL while it has the file's lock.
        options: Clock and time limits.

    Raises:
        RetryableError: The database is out of reach, locked or read-only now.
        FatalError: The URL, the user or its rights are wrong, the database is damaged, or a newer
            version wrote the ledger.
    """
    engines = await asyncio.to_thread(_prepare, url, options)
    ledger = Ledger(engines, key, in_loop=in_loop, options=options)
    try:
        yield ledger
    finally:
        await asyncio.to_thread(ledger.close)


def _prepare(url: str, options: LedgerOptions) -> Engines:
    engines = make_engines(url, options)
    try:
        if not _is_at_head(engines):
            _migrate(engines)
    except BaseException:
        engines.dispose()
        raise
    return engines


def _is_at_head(engines: Engines) -> bool:
    """Connect and check without the writer's lock: another process may have it for long."""
    try:
        with engines.reader.connect() as tx:
            return is_at_head(tx)
    except (DBAPIError, driver_errors(engines.reader)) as error:
        raise opening_failure(error, engines.place) from error


def _migrate(engines: Engines) -> None:
    upgrade = importlib.import_module("timerex_ghl.adapters.ledger.migrations.upgrade")
    try:
        with engines.writer.begin() as tx:
            upgrade.migrate(tx)
    except (DBAPIError, driver_errors(engines.writer)) as error:
        raise failure_of(error) or SettingsError(
            f"the ledger at {engines.place} cannot be migrated to this version: check that its"
            f" user may create tables, and that no other program has tables there"
        ) from error
