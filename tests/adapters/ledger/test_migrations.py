import asyncio
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, event, inspect, text

from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.adapters.ledger.engine import make_engines
from timerex_ghl.adapters.ledger.migrations import VERSION_TABLE
from timerex_ghl.adapters.ledger.schema import metadata
from timerex_ghl.sync.errors import SettingsError


class Crash(BaseException):
    """The process dies."""


@contextmanager
def crash_at(statement_start: str) -> Generator[None]:
    def crash(*args: Any) -> None:
        if args[2].lstrip().startswith(statement_start):
            raise Crash

    event.listen(Engine, "before_cursor_execute", crash)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", crash)


def tables(tx: Connection) -> set[str]:
    return set(inspect(tx).get_table_names())


def tables_there(url: str) -> set[str]:
    engines = make_engines(url)
    with engines.reader.begin() as tx:
        found = tables(tx)
    engines.dispose()
    return found


def version(tx: Connection) -> str:
    return tx.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one()  # noqa: S608


async def test_a_fresh_ledger_has_exactly_the_tables_the_modules_describe(empty_url: str) -> None:
    def differences(tx: Connection) -> list[Any]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(tx, opts=options), metadata)

    async with open_ledger(empty_url) as ledger:
        assert await ledger.read(differences) == []


@pytest.mark.parametrize("moment", ["CREATE TABLE locks", "CREATE TRIGGER", "INSERT INTO ledger_v"])
async def test_a_crash_in_a_migration_leaves_the_old_tables(empty_url: str, moment: str) -> None:
    with crash_at(moment), pytest.raises(Crash):
        async with open_ledger(empty_url):
            pass

    assert tables_there(empty_url) == set()
    async with open_ledger(empty_url) as ledger:
        assert {"audit", "inbox", "locks"} < await ledger.read(tables)


_DIE = """
import asyncio, os, sys
from sqlalchemy import Engine, event
from timerex_ghl.adapters.ledger.core import open_ledger

@event.listens_for(Engine, "before_cursor_execute")
def die(_tx, _cursor, statement, *_rest):
    if "CREATE TABLE locks" in statement:
        os._exit(9)

asyncio.run(open_ledger(sys.argv[1]).__aenter__())
"""


async def test_a_process_killed_in_a_migration_leaves_the_old_tables(empty_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _DIE, empty_url, cwd=Path(__file__).parents[3]
    )

    assert await process.wait() == 9
    assert tables_there(empty_url) == set()
    async with open_ledger(empty_url) as ledger:
        assert "locks" in await ledger.read(tables)


async def test_a_database_of_another_program_is_refused(empty_url: str) -> None:
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        tx.execute(text("CREATE TABLE locks (theirs integer)"))
    engines.dispose()

    with pytest.raises(SettingsError, match="no other program keeps tables there"):
        async with open_ledger(empty_url):
            pass

    assert tables_there(empty_url) == {"locks"}


async def test_opening_again_changes_nothing(ledger_url: str) -> None:
    with crash_at("CREATE"):
        async with open_ledger(ledger_url):
            pass


async def test_several_that_start_at_once_migrate_once(empty_url: str) -> None:
    async def open_once() -> set[str]:
        async with open_ledger(empty_url) as ledger:
            return await ledger.read(tables)

    first, *others = await asyncio.gather(*(open_once() for _ in range(4)))

    assert "inbox" in first
    assert others == [first] * 3


async def test_a_newer_ledger_is_refused_and_left_alone(empty_url: str) -> None:
    def pretend(tx: Connection) -> None:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608

    async with open_ledger(empty_url) as ledger:
        await ledger.write(pretend)
        with pytest.raises(SettingsError, match="newer version of timerex-ghl: upgrade"):
            async with open_ledger(empty_url):
                pass
        assert await ledger.read(version) == "9999"
