"""Errors of PostgreSQL and its driver, provoked for real, and what they are translated into."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from tests.adapters.ledger.db.provoked import Expected, Provoke, check, failing, run
from timerex_ghl.adapters.ledger.db.failures import failure_of
from timerex_ghl.domain.shared.errors import FatalError, RetryableError, SettingsError


@pytest.fixture
def server(postgresql_url: str) -> Iterator[Engine]:
    """A table of this test's own in PostgreSQL."""
    engine = create_engine(make_url(postgresql_url))
    with engine.begin() as tx:
        tx.execute(text("CREATE SCHEMA failing"))
        tx.execute(text("CREATE TABLE failing.t (id INTEGER PRIMARY KEY, body TEXT)"))
        tx.execute(text("INSERT INTO failing.t VALUES (1, 'one'), (2, 'two')"))
    yield engine
    engine.dispose()
    with engine.begin() as tx:
        tx.execute(text("DROP SCHEMA failing CASCADE"))
    engine.dispose()


def end_the_connection(engine: Engine, tx: Connection) -> None:
    pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
    tx.exec_driver_sql("SELECT 1")


def write_what_another_one_wrote(engine: Engine, tx: Connection) -> None:
    tx.execution_options(isolation_level="REPEATABLE READ")
    tx.exec_driver_sql("SELECT * FROM failing.t")
    with engine.begin() as other:
        other.exec_driver_sql("UPDATE failing.t SET body = 'other'")
    tx.exec_driver_sql("UPDATE failing.t SET body = 'own'")


def lock_each_other(engine: Engine, tx: Connection) -> None:
    tx.exec_driver_sql("SET deadlock_timeout = '10ms'")
    tx.exec_driver_sql("UPDATE failing.t SET body = 'a' WHERE id = 1")
    with engine.connect() as other:
        other.exec_driver_sql("SET deadlock_timeout = '60s'")
        other.exec_driver_sql("UPDATE failing.t SET body = 'b' WHERE id = 2")
        waiting = threading.Thread(
            target=other.exec_driver_sql, args=("UPDATE failing.t SET body = 'b' WHERE id = 1",)
        )
        waiting.start()
        try:
            tx.exec_driver_sql("UPDATE failing.t SET body = 'a' WHERE id = 2")
        finally:
            tx.rollback()
            waiting.join()


def wait_for_a_lock(engine: Engine, tx: Connection) -> None:
    with engine.begin() as other:
        other.exec_driver_sql("LOCK failing.t")
        tx.exec_driver_sql("SET lock_timeout = '10ms'")
        tx.exec_driver_sql("SELECT * FROM failing.t")


def stay_idle(_engine: Engine, tx: Connection) -> None:
    tx.exec_driver_sql("SET idle_in_transaction_session_timeout = '1ms'")
    for _ in range(1000):
        tx.exec_driver_sql("SELECT 1")
        threading.Event().wait(0.01)


def state(code: str) -> Provoke:
    """Let the server itself report an SQLSTATE that cannot be provoked without harm."""
    return run(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")


POSTGRESQL: dict[str, tuple[Provoke, Expected | None, str]] = {
    "read-only": (
        run("SET TRANSACTION READ ONLY", "DELETE FROM failing.t"),
        RetryableError,
        "ReadOnlySqlTransaction: it is read-only: after a failover wait",
    ),
    "connection cut": (end_the_connection, RetryableError, "the server is starting or stopping"),
    "serialization failure": (write_what_another_one_wrote, RetryableError, "in conflict"),
    "deadlock": (lock_each_other, RetryableError, "DeadlockDetected"),
    "lock timeout": (wait_for_a_lock, RetryableError, "another process has it locked"),
    "statement timeout": (
        run("SET statement_timeout = '10ms'", "SELECT pg_sleep(60)"),
        RetryableError,
        "QueryCanceled: it was too slow",
    ),
    "idle in transaction": (stay_idle, RetryableError, "IdleInTransactionSessionTimeout"),
    "disk full": (state("53100"), RetryableError, "free some space"),
    "out of memory": (state("53200"), RetryableError, "see the system's log"),
    "too many connections": (state("53300"), RetryableError, "max_connections"),
    "shut down": (state("57P01"), RetryableError, "starting or stopping"),
    "crash of another backend": (state("57P02"), RetryableError, "starting or stopping"),
    "starting": (state("57P03"), RetryableError, "starting or stopping"),
    "database dropped": (state("57P04"), SettingsError, "no such database"),
    "connection failure": (state("08006"), RetryableError, "connection to the server was lost"),
    "I/O error": (state("58030"), RetryableError, "see the system's log"),
    "internal error": (state("XX000"), RetryableError, "see the system's log"),
    "data corrupted": (state("XX001"), FatalError, "restore a backup"),
    "index corrupted": (state("XX002"), FatalError, "restore a backup"),
    "wrong password": (state("28P01"), SettingsError, "user and password"),
    "no right": (state("42501"), SettingsError, "grant it"),
    "unknown schema": (state("3F000"), SettingsError, "no such database or schema"),
    "wrong statement": (run("SELECT nothing FROM failing.t"), None, ""),
    "constraint": (run("INSERT INTO failing.t VALUES (1, 'again')"), None, ""),
}


@pytest.mark.parametrize("name", POSTGRESQL)
def test_what_postgresql_reports_says_what_to_do(server: Engine, name: str) -> None:
    provoke, expected, words = POSTGRESQL[name]

    check(failing(server, provoke), expected, words)


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"database": "no_such_database"}, SettingsError, "no such database"),
        ({"username": "no_such_user"}, SettingsError, "check its URL"),
        ({"port": 1}, RetryableError, "that the database runs"),
        ({"query": {"sslmode": "nonsense"}}, FatalError, "check its URL"),
    ],
)
def test_a_connection_that_is_refused_names_what_to_check(
    postgresql_url: str, changes: dict[str, Any], expected: Expected, words: str
) -> None:
    error = failing(create_engine(make_url(postgresql_url).set(**changes)), run("SELECT 1"))

    check(error, expected, words)


@pytest.mark.parametrize(
    ("text_of_server", "expected"),
    [
        ('FATAL:  password authentication failed for user "kana"', SettingsError),
        ("fe_sendauth: no password supplied", SettingsError),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "kana"', SettingsError),
        ('FATAL:  role "kana" is not permitted to log in', SettingsError),
        ('FATAL:  permission denied for database "x"', SettingsError),
        ("FATAL:  sorry, too many clients already", RetryableError),
        ('FATAL:  too many connections for role "kana"', RetryableError),
        ("FATAL:  remaining connection slots are reserved for superusers", RetryableError),
        ("FATAL:  the database system is starting up", RetryableError),
        ("FATAL:  the database system is in recovery mode", RetryableError),
        ("Connection refused", RetryableError),
        ("server closed the connection unexpectedly", RetryableError),
    ],
)
def test_a_refused_login_is_no_outage(text_of_server: str, expected: Expected) -> None:
    error = psycopg.OperationalError(f'connection failed: server at "127.0.0.1": {text_of_server}')

    check(error, expected, "OperationalError")


def test_errors_of_our_own_are_not_the_databases() -> None:
    assert failure_of(ValueError("wrong")) is None
    assert failure_of(psycopg.ProgrammingError("the connection's parameters are wrong")) is None
