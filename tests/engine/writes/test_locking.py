import asyncio
import os
import sqlite3
import subprocess
import sys

import pytest

from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.db.sqlite import choose_module
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.engine.writes import locking
from timerex_ghl.engine.writes.locking import holder_name, is_dead, machine, renewed


def test_this_process_lives() -> None:
    assert not is_dead(holder_name("run"))


def test_a_process_of_this_machine_that_ended_is_dead() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    holder = holder_name("run").replace(f":{os.getpid()}:", f":{int(ended.stdout)}:")

    assert is_dead(holder) == ("/" in machine())


def test_of_another_machine_s_process_nothing_is_known() -> None:
    assert not is_dead("elsewhere/abc/123:999999:run:00")
    assert not is_dead("999999")
    assert not is_dead("")


async def test_a_lock_is_renewed_again_after_an_outage(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "TTL_S", 0.3)
    async with open_ledger(sqlite_url, options=LedgerOptions(lock_wait_s=0.05)) as ledger:
        fence = await ledger.write(locks.try_lock, ["contact:1"], holder_name("run"), 0.3)
        assert fence is not None
        async with renewed(ledger, fence):
            other: sqlite3.Connection = choose_module().connect(
                sqlite_url.removeprefix("sqlite:///"), isolation_level=None
            )
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(1)
            other.close()

            for _ in range(6000):
                if await ledger.read(locks.all_valid, [fence]) == [True]:
                    break
                await asyncio.sleep(0.01)
            else:
                raise AssertionError("it was not renewed")
