"""SQLite as the ledger's database: library version, opening the file, waiting for its lock."""

import importlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from timerex_ghl.adapters.ledger.db.options import LOCK_WAIT, LedgerOptions
from timerex_ghl.domain.shared.errors import RetryableError, SettingsError

_LOCK_POLL_S = 0.0005  # SQLite's own busy handler sleeps up to 100 ms: a p99 of 186 ms, not 24
_FIXED = (3, 51, 3)
_BACKPORTS = ((3, 50, 7), (3, 44, 6))

_creating = threading.Lock()
_log = logging.getLogger(__name__)


class DatabaseLockedError(RetryableError):
    """Another process had the file's lock for too long: nothing was done."""


def prepare_file(url: URL) -> Path:
    """Create the ledger's file (0600) and its folder (0700) where they are absent.

    Raises:
        SettingsError: The URL has no file, or the file cannot be created.
    """
    database = url.database or ""
    if not database or database == ":memory:" or database.startswith("file:"):
        raise SettingsError("the ledger needs a file: enter sqlite:////absolute/path/ledger.db")
    path = Path(database).expanduser().absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    except OSError as error:
        raise SettingsError(
            f"the ledger's file {path} cannot be created ({error.strerror}): enter another path"
        ) from None
    return path


def _create(path: Path) -> None:
    """Create the file where it is absent.

    An existing file is never opened, and only one thread creates: closing any descriptor of a file
    drops all locks this process has on it. Source: https://sqlite.org/howtocorrupt.html, 2.2.
    """
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def make_writer(path: Path, options: LedgerOptions) -> Engine:
    """Make the engine with the one connection that writes."""
    engine = _make_engine(path, 1, options)
    event.listen(engine, "begin", _begin_writing)
    return engine


def make_reader(path: Path, size: int, options: LedgerOptions) -> Engine:
    """Make the engine whose connections only read, each transaction from one snapshot."""
    engine = _make_engine(path, size, options)
    event.listen(engine, "connect", _forbid_writing)
    event.listen(engine, "begin", _begin_reading)
    return engine


@cache
def choose_module() -> ModuleType:
    """Return the SQLite module of `pysqlite3`, else Python's own.

    Source: https://sqlite.org/wal.html, "The WAL-Reset Bug".
    """
    try:
        module = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        module = sqlite3
    if not is_fixed(module.sqlite_version_info):
        _log.warning(
            "This Python's SQLite is %s. One older than 3.51.3 (or 3.50.7, 3.44.6) can corrupt a"
            " file that several processes use: install pysqlite3 where it has a wheel, use a"
            " Python with a newer SQLite, or keep the ledger on PostgreSQL.",
            module.sqlite_version,
        )
    return module


def is_fixed(version: tuple[int, ...]) -> bool:
    """Return whether this SQLite is free of the WAL-reset bug."""
    return version >= _FIXED or any(
        version[:2] == fixed[:2] and version >= fixed for fixed in _BACKPORTS
    )


def _make_engine(path: Path, size: int, options: LedgerOptions) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=choose_module(),
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        execution_options=options.for_engine,
    )
    event.listen(engine, "connect", partial(_prepare_connection, wait_s=options.lock_wait_s))
    return engine


def _prepare_connection(connection: DBAPIConnection, _record: object, *, wait_s: float) -> None:
    """Set per-connection options. `isolation_level` None: we send BEGIN ourselves."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    _insist(lambda: cursor.execute("PRAGMA journal_mode=WAL"), wait_s)
    if cursor.fetchone() != ("wal",):
        raise SettingsError("the ledger's folder does not support SQLite's WAL: use a local disk")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _forbid_writing(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_writing(tx: Connection) -> None:
    cursor = tx.connection.cursor()
    _insist(lambda: cursor.execute("BEGIN IMMEDIATE"), _lock_wait_s(tx))
    cursor.close()


def _begin_reading(tx: Connection) -> None:
    """Begin, and take the snapshot at once: later reads cannot fail with SQLITE_BUSY."""
    cursor = tx.connection.cursor()
    _insist(lambda: _take_snapshot(cursor), _lock_wait_s(tx))
    cursor.close()


def _lock_wait_s(tx: Connection) -> float:
    return tx.get_execution_options()[LOCK_WAIT]


def _take_snapshot(cursor: DBAPICursor) -> None:
    cursor.execute("BEGIN")
    try:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        cursor.fetchall()
    except Exception:
        cursor.execute("ROLLBACK")
        raise


def _insist(attempt: Callable[[], object], wait_s: float) -> None:
    """Repeat an attempt until the file's lock is free.

    Raises:
        DatabaseLockedError: Another process had the lock for `wait_s`.
    """
    give_up_at = time.monotonic() + wait_s
    while True:
        try:
            attempt()
        except Exception as error:
            if not _is_busy(error):
                raise
            if time.monotonic() >= give_up_at:
                raise DatabaseLockedError("the ledger is locked by another process") from None
            time.sleep(_LOCK_POLL_S)
        else:
            return


def _is_busy(error: Exception) -> bool:
    """Return whether an error is SQLITE_BUSY. Extended codes have it in the low byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
