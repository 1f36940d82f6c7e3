import asyncio
import sys

from sqlalchemy import Connection, text

from tests.paths import ROOT
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.models import ConnectionName

TOKYO = ConnectionName("tokyo")


def save(tx: Connection, name: str, value: str = "x") -> None:
    cursors.save_cursor(tx, TOKYO, name, value)


def count(tx: Connection) -> int:
    return tx.execute(text("SELECT count(*) FROM cursors")).scalar_one()


async def test_a_ledger_serves_several_event_loops(ledger: Ledger) -> None:
    def in_a_loop_of_its_own(name: str) -> None:
        asyncio.run(ledger.write(save, name))

    await asyncio.gather(*(asyncio.to_thread(in_a_loop_of_its_own, str(n)) for n in range(3)))

    assert await ledger.read(count) == 3


_ADD = """
import asyncio, sys
from sqlalchemy import text
from timerex_ghl.adapters.ledger.db.core import open_ledger

def add(tx):  # read, then write: what a lost update would show
    value = tx.scalar(text("SELECT value FROM cursors WHERE name = 'sum'"))
    tx.execute(text("UPDATE cursors SET value = :v WHERE name = 'sum'"), {"v": str(int(value) + 1)})

async def main():
    async with open_ledger(sys.argv[1]) as ledger:
        for _ in range(10):
            await asyncio.gather(*(ledger.write(add) for _ in range(10)))

asyncio.run(main())
"""


async def test_processes_that_write_at_once_lose_nothing(ledger: Ledger, ledger_url: str) -> None:
    await ledger.write(save, "sum", "0")
    root = ROOT

    adding = [
        asyncio.create_subprocess_exec(sys.executable, "-c", _ADD, ledger_url, cwd=root)
        for _ in range(2)
    ]
    processes = await asyncio.gather(*adding)

    assert await asyncio.gather(*(each.wait() for each in processes)) == [0, 0]
    assert await ledger.read(cursors.get_cursor, TOKYO, "sum") == "200"
