"""Errors of SQLite, provoked for real, and what they are translated into."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from tests.adapters.ledger.db.provoked import Expected, Provoke, check, failing, run
from timerex_ghl.adapters.ledger.db.failures import failure_of, opening_failure
from timerex_ghl.adapters.ledger.db.sqlite import choose_module
from timerex_ghl.domain.shared.errors import FatalError, RetryableError, SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Engine]:
    """A small SQLite database."""
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}", module=choose_module())
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)"))
        tx.execute(text("INSERT INTO t VALUES (1, 'one'), (2, 'two')"))
    yield engine
    engine.dispose()


def path_of(engine: Engine) -> Path:
    return Path(engine.url.database or "")


def damage_a_page(engine: Engine, tx: Connection) -> None:
    tx.exec_driver_sql("SELECT 1")
    tx.close()
    engine.dispose()
    with path_of(engine).open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 4096)
    with engine.connect() as again:
        again.exec_driver_sql("SELECT * FROM t").fetchall()


def write_text_over_it(engine: Engine, tx: Connection) -> None:
    tx.close()
    engine.dispose()
    path_of(engine).write_text("not a database" * 1000)
    with engine.connect() as again:
        again.exec_driver_sql("SELECT * FROM t")


def delete_the_file(engine: Engine, tx: Connection) -> None:
    tx.exec_driver_sql("SELECT * FROM t").fetchall()
    tx.rollback()
    path_of(engine).unlink()
    tx.exec_driver_sql("INSERT INTO t VALUES (3, 'three')")


def lock_by_another_process(engine: Engine, tx: Connection) -> None:
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path_of(engine)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            tx.exec_driver_sql("PRAGMA busy_timeout=0")
            tx.exec_driver_sql("INSERT INTO t VALUES (3, 'three')")
        finally:
            other.communicate()


def interrupt(_engine: Engine, tx: Connection) -> None:
    driver: Any = tx.connection.driver_connection
    driver.set_progress_handler(lambda: 1, 1)
    try:
        tx.exec_driver_sql("SELECT count(*) FROM t a, t b, t c")
    finally:
        driver.set_progress_handler(None, 1)


SQLITE: dict[str, tuple[Provoke, Expected | None, str]] = {
    "disk full": (
        run("PRAGMA max_page_count=2", "INSERT INTO t VALUES (3, zeroblob(100000))"),
        RetryableError,
        "free some space",
    ),
    "read-only": (
        run("PRAGMA query_only=ON", "INSERT INTO t VALUES (3, 'three')"),
        RetryableError,
        "its permissions",
    ),
    "locked": (lock_by_another_process, RetryableError, "another process has it locked"),
    "interrupted": (interrupt, RetryableError, "too slow"),
    "damaged page": (damage_a_page, FatalError, "restore a backup"),
    "no database": (write_text_over_it, FatalError, "restore a backup"),
    "file deleted": (delete_the_file, RetryableError, "that it was not moved"),
    "wrong statement": (run("SELECT nothing FROM t"), None, ""),
    "constraint": (run("INSERT INTO t VALUES (1, 'again')"), None, ""),
}


@pytest.mark.parametrize("name", SQLITE)
def test_what_sqlite_reports_says_what_to_do(file: Engine, name: str) -> None:
    provoke, expected, words = SQLITE[name]

    check(failing(file, provoke), expected, words)


def test_a_raw_error_of_the_driver_is_translated_too(file: Engine) -> None:
    def fail(_engine: Engine, tx: Connection) -> None:
        driver: Any = tx.connection.driver_connection
        driver.execute("PRAGMA query_only=ON")
        driver.execute("INSERT INTO t VALUES (3, 'three')")

    check(failing(file, fail), RetryableError, "SQLITE_READONLY: the file cannot be written")


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_READ])
def test_an_extended_code_counts_as_its_primary_one(code: int) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code

    check(error, RetryableError, "see the system's log")


def test_a_path_that_cannot_be_opened_is_a_wrong_setting(tmp_path: Path) -> None:
    error = failing(create_engine(f"sqlite:///{tmp_path}"), run("SELECT 1"))

    assert isinstance(failure_of(error), RetryableError)
    assert isinstance(opening_failure(error, "sqlite:///x"), SettingsError)
