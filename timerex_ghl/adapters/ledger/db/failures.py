"""What an error of either database means: try again later, or stop and correct something.

The one place that knows the drivers' error codes. Their classes say little: PostgreSQL reports that
it is read-only as an `InternalError`; on SQLite a wrong statement and a full disk are both an
`OperationalError`.
Sources: https://www.postgresql.org/docs/current/errcodes-appendix.html,
https://sqlite.org/rescode.html
"""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias, cast

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from timerex_ghl.domain.shared.errors import FatalError, RetryableError, SettingsError

DatabaseFailure: TypeAlias = RetryableError | FatalError
"""An outage, or a database that does not work before someone corrects it."""


class _Cause(NamedTuple):
    """Why a database fails, and what to do.

    Attributes:
        error: The class of our error.
    """

    error: type[RetryableError | FatalError]
    advice: str


_UNREACHABLE = _Cause(
    RetryableError, "check its URL, and that the database runs and accepts this user"
)
_LOST = _Cause(RetryableError, "the connection to the server was lost")
_STARTING = _Cause(RetryableError, "the server is starting or stopping")
_CROWDED = _Cause(RetryableError, "too many connections: raise the server's max_connections")
_READ_ONLY = _Cause(
    RetryableError,
    "it is read-only: after a failover wait, or check that the URL names the primary server",
)
_FULL = _Cause(RetryableError, "the disk is full: free some space")
_LOCKED = _Cause(RetryableError, "another process has it locked")
_BUSY = _Cause(RetryableError, "it was too slow, or in conflict with another transaction")
_MACHINE = _Cause(RetryableError, "its machine has a fault: see the system's log")
_NO_FILE = _Cause(RetryableError, "check the file's path and the permissions of file and folder")
_DAMAGED = _Cause(FatalError, "it is damaged: stop all programs, then restore a backup")
_REFUSED = _Cause(SettingsError, "check its URL, and that it accepts this user and password")
_ABSENT = _Cause(SettingsError, "there is no such database or schema: create it, or check its URL")
_FORBIDDEN = _Cause(SettingsError, "its user lacks a right: grant it, or enter another user")

_SQLITE: Mapping[int, _Cause] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_READONLY: _Cause(
        RetryableError,
        "the file cannot be written: check that it was not moved, its permissions, and the disk",
    ),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _NO_FILE,
    sqlite3.SQLITE_PERM: _NO_FILE,
    sqlite3.SQLITE_IOERR: _MACHINE,
    sqlite3.SQLITE_NOMEM: _MACHINE,
    sqlite3.SQLITE_NOLFS: _FULL,
    sqlite3.SQLITE_INTERRUPT: _BUSY,
    sqlite3.SQLITE_ABORT: _BUSY,
    sqlite3.SQLITE_SCHEMA: _BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
"""By result code; an extended one that is absent counts as its primary one, the low byte."""

_POSTGRESQL: Mapping[str, _Cause] = {
    "08": _LOST,
    "25006": _READ_ONLY,
    "25P03": _BUSY,  # idle_in_transaction_session_timeout
    "25P04": _BUSY,  # transaction_timeout
    "28": _REFUSED,
    "3D": _ABSENT,
    "3F": _ABSENT,
    "40": _BUSY,  # serialization failure, deadlock
    "42501": _FORBIDDEN,
    "53": _MACHINE,
    "53100": _FULL,
    "53300": _CROWDED,
    "55006": _LOCKED,
    "55P03": _LOCKED,
    "57": _STARTING,
    "57014": _BUSY,  # statement_timeout, or cancelled by an administrator
    "57P04": _ABSENT,  # the database was dropped
    "57P05": _LOST,  # idle_session_timeout
    "58": _MACHINE,
    "XX000": _MACHINE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""By SQLSTATE; one that is absent counts as its class, the first two characters."""

_REFUSALS: tuple[tuple[str, _Cause], ...] = (
    ("authentication failed", _REFUSED),
    ("no password supplied", _REFUSED),
    ("no pg_hba.conf entry", _REFUSED),
    ("permission denied for database", _FORBIDDEN),
    ("not permitted to log in", _FORBIDDEN),
    ("too many c", _CROWDED),  # "clients already", "connections for role", "for database"
    ("connection slots are reserved", _CROWDED),
    ("the database system is", _STARTING),
    ("invalid ", _REFUSED),  # an option of the URL
    ("does not exist", _ABSENT),  # the database, or the role
)
"""What a server says before it lets a client in: libpq hands over its text, but no SQLSTATE."""


def failure_of(error: Exception) -> DatabaseFailure | None:
    """Return what a database's error means. None: it is an error of the statement, or of ours."""
    cause = _cause_of(error)
    if cause is None:
        return None
    return cause.error(f"the ledger's database failed: {_name(error)}: {cause.advice}")


def opening_failure(error: Exception, place: str) -> DatabaseFailure:
    """Return why a ledger cannot be opened. `place` is its URL without user and password."""
    cause = _cause_of(error) or _Cause(SettingsError, _UNREACHABLE.advice)
    message = f"the ledger at {place} cannot be opened: {_name(error)}: {cause.advice}"
    # A file that was open once comes back; one that never was is a wrong path.
    return SettingsError(message) if cause is _NO_FILE else cause.error(message)


def driver_errors(engine: Engine) -> type[Exception]:
    """Return the base class of a driver's errors, which SQLAlchemy's events raise as they are."""
    return cast("type[Exception]", engine.dialect.loaded_dbapi.Error)


def _cause_of(error: Exception) -> _Cause | None:
    if isinstance(error, PoolTimeoutError):
        return _BUSY
    driver_error = _driver_error(error)
    code = getattr(driver_error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code) or (None if code == sqlite3.SQLITE_ERROR else _primary(code))
    if not type(driver_error).__module__.startswith("psycopg"):
        return None
    state = getattr(driver_error, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    return _cause_without_state(error, driver_error)


def _primary(code: int) -> _Cause | None:
    if code & 0xFF == sqlite3.SQLITE_ERROR:
        return _BUSY  # an extended one: SQLITE_ERROR_SNAPSHOT, SQLITE_ERROR_RETRY
    return _SQLITE.get(code & 0xFF)


def _cause_without_state(error: Exception, driver_error: BaseException) -> _Cause | None:
    """Classify what libpq or the driver itself reports: no connection, or one that was cut."""
    bases = {base.__name__ for base in type(driver_error).__mro__}
    if bases.isdisjoint({"OperationalError", "InterfaceError"}):
        return None
    text = str(driver_error).lower()
    for words, cause in _REFUSALS:
        if words in text:
            return cause
    is_cut = isinstance(error, DBAPIError) and error.connection_invalidated
    return _LOST if is_cut else _UNREACHABLE


def _driver_error(error: Exception) -> BaseException:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig
    return error


def _name(error: Exception) -> str:
    """Name an error without its text, which may contain a row's values."""
    driver_error = _driver_error(error)
    return getattr(driver_error, "sqlite_errorname", None) or type(driver_error).__name__
