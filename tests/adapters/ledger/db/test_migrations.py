import asyncio
import sys
import threading
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tests.adapters.database_events import failing_statements
from tests.paths import ROOT
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.engine import make_engines
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.migrations import HEAD, VERSION_TABLE
from timerex_ghl.adapters.ledger.migrations.upgrade import config
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName


class Crash(BaseException):
    """The process dies."""


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
    with failing_statements(moment, Crash()), pytest.raises(Crash):
        async with open_ledger(empty_url):
            pass

    assert tables_there(empty_url) == set()
    async with open_ledger(empty_url) as ledger:
        assert {"audit", "inbox", "locks"} < await ledger.read(tables)


_DIE = """
import asyncio, os, sys
from sqlalchemy import Engine, event
from timerex_ghl.adapters.ledger.db.core import open_ledger

@event.listens_for(Engine, "before_cursor_execute")
def die(_tx, _cursor, statement, *_rest):
    if "CREATE TABLE locks" in statement:
        os._exit(9)

asyncio.run(open_ledger(sys.argv[1]).__aenter__())
"""


async def test_a_process_killed_in_a_migration_leaves_the_old_tables(empty_url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _DIE, empty_url, cwd=ROOT)

    assert await process.wait() == 9
    assert tables_there(empty_url) == set()
    async with open_ledger(empty_url) as ledger:
        assert "locks" in await ledger.read(tables)


async def test_a_database_of_another_program_is_refused(empty_url: str) -> None:
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        tx.execute(text("CREATE TABLE locks (theirs integer)"))
    engines.dispose()

    with pytest.raises(SettingsError, match="no other program has tables there"):
        async with open_ledger(empty_url):
            pass

    assert tables_there(empty_url) == {"locks"}


async def test_opening_again_changes_nothing(ledger_url: str) -> None:
    with failing_statements("CREATE", Crash()):
        async with open_ledger(ledger_url):
            pass


async def test_the_constant_head_is_alembics_head(ledger: Ledger) -> None:
    def head(tx: Connection) -> str | None:
        return ScriptDirectory.from_config(config(tx)).get_current_head()

    assert await ledger.read(head) == HEAD
    assert await ledger.read(version) == HEAD


_OPEN = """
import asyncio, sys
from timerex_ghl.adapters.ledger.db.core import open_ledger

async def run():
    async with open_ledger(sys.argv[1]):
        sys.exit("alembic" in sys.modules)

asyncio.run(run())
"""


async def test_a_process_that_opens_a_ledger_at_head_does_not_load_alembic(ledger_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OPEN, ledger_url, cwd=ROOT
    )

    assert await process.wait() == 0


async def test_opening_at_head_does_not_wait_for_a_writer(ledger: Ledger, ledger_url: str) -> None:
    entered, leave = threading.Event(), threading.Event()

    def block(_tx: Connection) -> None:
        entered.set()
        leave.wait(60)

    writing = asyncio.create_task(ledger.write(block))
    await asyncio.to_thread(entered.wait, 60)

    async with open_ledger(ledger_url) as other:
        assert await other.read(version) == HEAD
        assert not writing.done()
        leave.set()
        await writing


async def test_a_table_of_versions_without_a_version_is_no_whole_ledger(empty_url: str) -> None:
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        tx.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL)"))
    engines.dispose()

    async with open_ledger(empty_url) as ledger:
        assert "locks" in await ledger.read(tables)
        assert await ledger.read(version) == HEAD


async def test_a_ledger_of_the_first_version_keeps_its_rows(empty_url: str) -> None:
    row = {"id": "c1", "v": 1, "contact": '{"tags":null,"values":{"city":"Nara"}}'}
    engines = make_engines(empty_url)
    with engines.writer.begin() as tx:
        command.upgrade(config(tx), "0001")
        tx.execute(
            text(
                "INSERT INTO contacts (connection, id, version, contact, created_at, updated_at,"
                " deleted) VALUES ('aoba', :id, :v, :contact, 0, 0, false)"
            ),
            row,
        )
    engines.dispose()

    async with open_ledger(empty_url) as ledger:
        found = await ledger.read(workspace_contacts.list_contacts, ConnectionName("aoba"))

    assert [(one.id, one.contact.values, one.changed_at) for one in found] == [
        ("c1", {"city": "Nara"}, {})
    ]


async def test_several_that_start_at_once_migrate_once(empty_url: str) -> None:
    async def open_once() -> set[str]:
        async with open_ledger(empty_url) as ledger:
            return await ledger.read(tables)

    first, *others = await asyncio.gather(*(open_once() for _ in range(4)))

    assert "inbox" in first
    assert others == [first] * 3


async def test_a_newer_ledger_is_refused_and_unchanged(empty_url: str) -> None:
    def pretend(tx: Connection) -> None:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608

    async with open_ledger(empty_url) as ledger:
        await ledger.write(pretend)
        with pytest.raises(SettingsError, match="newer version of timerex-ghl: upgrade"):
            async with open_ledger(empty_url):
                pass
        assert await ledger.read(version) == "9999"
