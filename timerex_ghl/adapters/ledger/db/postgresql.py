"""PostgreSQL as the ledger's database: engines, timeouts and the writer's lock."""

import importlib.util
from functools import partial

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection

from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.domain.shared.errors import SettingsError

_WRITER_LOCK = 0x7472_6768_6C00  # an arbitrary constant: "trghl"
_CONNECT_TIMEOUT_S = 10


def make_writer(url: URL, options: LedgerOptions) -> Engine:
    """Make the engine with the one connection that writes; one process writes at a time."""
    engine = _make_engine(url, 1, "READ COMMITTED", options)
    event.listen(engine, "connect", partial(_limit_waiting, lock_wait_s=options.lock_wait_s))
    event.listen(engine, "begin", _begin_writing)
    return engine


def make_reader(url: URL, size: int, options: LedgerOptions) -> Engine:
    """Make the engine whose connections only read, each transaction from one snapshot."""
    engine = _make_engine(url, size, "REPEATABLE READ", options)
    event.listen(engine, "connect", _forbid_writing)
    return engine


def _make_engine(url: URL, size: int, isolation_level: str, options: LedgerOptions) -> Engine:
    if importlib.util.find_spec("psycopg") is None:
        raise SettingsError(
            "a ledger on PostgreSQL needs a driver: install timerex-ghl[postgresql]"
        )
    engine = create_engine(
        url,
        connect_args={}
        if "connect_timeout" in url.query
        else {"connect_timeout": _CONNECT_TIMEOUT_S},
        isolation_level=isolation_level,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        execution_options=options.for_engine,
    )
    event.listen(engine, "handle_error", _hide_values)
    return engine


def _limit_waiting(connection: DBAPIConnection, _record: object, *, lock_wait_s: float) -> None:
    """Set timeouts, so that the server ends the transaction of a frozen process."""
    cursor = connection.cursor()
    limit_ms = max(1, round(lock_wait_s * 1000))  # 0 would mean no limit
    cursor.execute(f"SET lock_timeout = {limit_ms}")
    cursor.execute("SET idle_in_transaction_session_timeout = '25s'")
    cursor.close()
    connection.commit()


def _forbid_writing(connection: DBAPIConnection, _record: object) -> None:
    connection.read_only = True


def _begin_writing(tx: Connection) -> None:
    tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _hide_values(context: ExceptionContext) -> None:
    """Keep only the first line of an error: the next ones (DETAIL) contain the row's values."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])
