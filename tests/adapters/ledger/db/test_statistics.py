"""SQLite plans by statistics that a migration writes, in a new ledger as in an old one."""

from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.db.engine import make_engines
from timerex_ghl.adapters.ledger.migrations.upgrade import config

BY_EMAIL = "SELECT * FROM contacts WHERE connection = 'a' AND email_key = 'b' ORDER BY id"


def plan(tx: Connection) -> list[str]:
    return [row.detail for row in tx.execute(text(f"EXPLAIN QUERY PLAN {BY_EMAIL}"))]


def uses_index(steps: list[str]) -> bool:
    return "ix_contacts_connection_email_key (connection=? AND email_key=?)" in steps[0]


def without_statistics(tx: Connection) -> list[str]:
    found = tx.scalars(
        text(
            "SELECT i.name FROM sqlite_master t, pragma_index_list(t.name) i"
            " WHERE t.type = 'table' AND i.name NOT IN (SELECT idx FROM sqlite_stat1)"
        )
    )
    return [*found]


async def test_every_index_has_statistics(sqlite_url: str) -> None:
    async with open_ledger(sqlite_url) as ledger:
        assert await ledger.read(without_statistics) == []


async def test_the_process_that_makes_a_ledger_uses_them_at_once(tmp_path: Path) -> None:
    async with open_ledger(f"sqlite:///{tmp_path / 'new.db'}") as ledger:
        assert uses_index(await ledger.write(plan))
        assert uses_index(await ledger.read(plan))


async def test_a_ledger_of_an_older_version_gets_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engines = make_engines(url)
    with engines.writer.begin() as tx:
        command.upgrade(config(tx), "0004")
        assert not uses_index(plan(tx))
    engines.dispose()

    async with open_ledger(url) as ledger:
        assert await ledger.read(without_statistics) == []
        assert uses_index(await ledger.write(plan))
