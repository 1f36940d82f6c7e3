import asyncio
import logging
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text

from timerex_ghl.adapters.ledger.db import sqlite
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.errors import FatalError, RetryableError
from timerex_ghl.domain.shared.models import ConnectionName

TOKYO = ConnectionName("tokyo")
IMPATIENT = LedgerOptions(lock_wait_s=0.05)


@pytest.fixture
def fresh_choice() -> Iterator[None]:
    sqlite.choose_module.cache_clear()
    yield
    sqlite.choose_module.cache_clear()


def lock_from_outside(url: str) -> sqlite3.Connection:
    """Lock with the same SQLite: two libraries in one process do not see each other's locks."""
    connection: sqlite3.Connection = sqlite.choose_module().connect(
        url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def refusal(url: str) -> str:
    with pytest.raises((FatalError, RetryableError)) as caught:
        async with open_ledger(url):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ledger.db",
        "mysql://root@db.example/ledger",
        "postgresql+psycopg2://u:pa55@db.example/x",
        "sqlite+aiosqlite:///x.db",
        "postgresql://u:pa55@db.example:port/x",
    ],
)
async def test_a_url_of_another_kind_is_shown_what_to_enter(url: str) -> None:
    message = await refusal(url)

    assert "enter sqlite:////absolute/path/ledger.db or postgresql+psycopg://" in message
    assert "pa55" not in message


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
async def test_a_ledger_needs_a_file(url: str) -> None:
    assert "needs a file" in await refusal(url)


async def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    message = await refusal("postgresql+psycopg://user:pa55@127.0.0.1:1/x")

    assert "at postgresql+psycopg://127.0.0.1:1/x cannot be opened" in message
    assert "pa55" not in message


async def test_a_missing_driver_is_shown_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    assert "install timerex-ghl[postgresql]" in await refusal("postgresql://127.0.0.1/x")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database" * 1000)

    assert "notes.txt cannot be opened" in await refusal(f"sqlite:///{tmp_path / 'notes.txt'}")


async def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in await refusal(f"sqlite:///{tmp_path}")


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    message = await refusal(f"sqlite:///{tmp_path}/file/ledger.db")

    assert f"{tmp_path}/file/ledger.db cannot be created" in message


async def test_the_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"

    async with open_ledger(f"sqlite:///{path}"):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["ledger.db", "ledger.db-wal", "ledger.db-shm"], 0o600)


@pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)
async def test_what_is_stored_survives_power_loss(ledger: Ledger) -> None:
    def pragmas(tx: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [tx.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

    assert await ledger.write(pragmas) == ["wal", 2, 1, 0]


@pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)
async def test_a_lock_kept_for_long_is_given_up(
    ledger_url: str,
) -> None:
    async with open_ledger(ledger_url, options=IMPATIENT) as ledger:
        other = lock_from_outside(ledger_url)

        with pytest.raises(RetryableError, match="the ledger is locked by another process"):
            await ledger.write(cursors.save_cursor, TOKYO, "poll", "x")

        assert await ledger.read(cursors.get_cursor, TOKYO, "poll") is None  # readers do not wait
        other.close()
        await ledger.write(cursors.save_cursor, TOKYO, "poll", "x")


@pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)
async def test_a_lock_kept_shortly_is_waited_for(ledger: Ledger, ledger_url: str) -> None:
    other = lock_from_outside(ledger_url)
    threading.Timer(0.1, other.close).start()

    await ledger.write(cursors.save_cursor, TOKYO, "poll", "x")

    assert await ledger.read(cursors.get_cursor, TOKYO, "poll") == "x"


_TAKE_READERS_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:  # https://sqlite.org/src/file/src/os.h, SHARED_FIRST and SHARED_SIZE
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except OSError:
        sys.exit(5)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the locks in question are POSIX's")
@pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)
async def test_opening_the_file_again_does_not_drop_its_lock(
    ledger: Ledger, ledger_url: str
) -> None:
    await ledger.write(cursors.save_cursor, TOKYO, "poll", "ours")

    path = sqlite.prepare_file(make_url(ledger_url))

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _TAKE_READERS_LOCK, path)
    assert await process.wait() == 5


@pytest.mark.usefixtures("fresh_choice")
def test_an_old_sqlite_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", None)
    monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))

    with caplog.at_level(logging.WARNING):
        assert sqlite.choose_module() is sqlite3
        sqlite.choose_module()

    assert len(caplog.records) == 1
    assert "SQLite is 3.40.1" in caplog.text


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_which_sqlite_is_fixed(version: tuple[int, ...], fixed: bool) -> None:  # noqa: FBT001
    assert sqlite.is_fixed(version) is fixed


@pytest.mark.parametrize("either_url", ["postgresql"], indirect=True)
async def test_on_postgresql_too_a_lock_kept_for_long_is_given_up(
    ledger: Ledger, ledger_url: str
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def block(_tx: Connection) -> None:
        entered.set()
        leave.wait(60)

    async with open_ledger(ledger_url, options=IMPATIENT) as impatient:
        blocking = asyncio.create_task(ledger.write(block))
        await asyncio.to_thread(entered.wait, 60)

        with pytest.raises(RetryableError, match="LockNotAvailable"):
            await impatient.write(cursors.save_cursor, TOKYO, "poll", "x")

        leave.set()
        await blocking
        await ledger.write(cursors.save_cursor, TOKYO, "poll", "x")
