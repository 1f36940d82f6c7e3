"""A ledger that writes in the event loop itself while no other process is writing."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.db.sqlite import choose_module
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.errors import FatalError
from timerex_ghl.domain.shared.models import ConnectionName

TOKYO = ConnectionName("tokyo")


@pytest.fixture
async def ledger(either_url: str) -> AsyncGenerator[Ledger]:
    async with open_ledger(either_url, in_loop=True) as opened:
        yield opened


@contextmanager
def locked(url: str) -> Generator[None]:
    """Lock the file as another writing process does."""
    other = choose_module().connect(url.removeprefix("sqlite:///"), isolation_level=None)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def save(tx: Connection, name: str) -> str:
    cursors.save_cursor(tx, TOKYO, name, "here")
    return threading.current_thread().name


def save_and_fail(tx: Connection, name: str) -> str:
    save(tx, name)
    raise LookupError


async def kept(ledger: Ledger, name: str) -> bool:
    return await ledger.read(cursors.get_cursor, TOKYO, name) == "here"


async def test_a_file_is_written_in_the_event_loop_and_a_server_in_a_thread(
    ledger: Ledger, either_url: str
) -> None:
    here = threading.current_thread().name

    where = await ledger.write(save, "a")

    assert where == (here if either_url.startswith("sqlite") else "ledger-writer")
    assert await kept(ledger, "a")


async def test_each_gets_its_own_end_and_all_that_is_good_is_kept(ledger: Ledger) -> None:
    works = [(save, "a"), (save_and_fail, "b"), (save, "c")]
    ends = await asyncio.gather(
        *(ledger.write(work, name) for work, name in works), return_exceptions=True
    )

    assert [isinstance(end, str) for end in ends] == [True, False, True]
    assert isinstance(ends[1], LookupError)
    assert [await kept(ledger, name) for name in "abc"] == [True, False, True]


async def test_who_went_away_is_not_served_and_nobody_waits_for_it(ledger: Ledger) -> None:
    leaving = asyncio.create_task(ledger.write(save, "a"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    await asyncio.wait_for(ledger.write(save, "b"), 60)

    assert await kept(ledger, "b")


async def test_while_another_process_writes_the_loop_goes_on_and_the_thread_waits(
    sqlite_url: str,
) -> None:
    async with open_ledger(sqlite_url, in_loop=True) as ledger:
        with locked(sqlite_url):
            writing = [asyncio.create_task(ledger.write(save, name)) for name in "abc"]
            await asyncio.sleep(0)  # the loop tries to lock, and leaves the group to the thread
            later = asyncio.create_task(ledger.write(save, "d"))
            for _ in range(50):
                await asyncio.sleep(0.001)
            # a blocked loop would have got an error after `lock_wait_s`
            assert not any(task.done() for task in (*writing, later))

        where = await asyncio.wait_for(asyncio.gather(*writing, later), 60)

        assert {*where} == {"ledger-writer"}
        async with asyncio.timeout(60):  # the thread may not have returned the turn yet
            while await ledger.write(save, "e") != threading.current_thread().name:
                pass
        assert all([await kept(ledger, name) for name in "abcde"])


async def test_people_in_step_are_served_together(ledger: Ledger) -> None:
    groups: list[int] = []

    def count(_tx: Connection, items: list[int]) -> list[int]:
        groups.append(len(items))
        return items

    async def one(number: int) -> int:
        with ledger.in_step():
            return await ledger.write_together(count, number)

    assert await asyncio.gather(*map(one, range(8))) == [*range(8)]
    assert sum(groups) == 8
    assert len(groups) < 8


async def test_closing_waits_for_what_the_loop_has_in_hand(
    sqlite_url: str,
) -> None:
    each_alone = LedgerOptions(transaction_limit_s=0.0)  # all units but the first are requeued

    def slowly(tx: Connection, name: str) -> None:
        save(tx, name)
        time.sleep(0.05)

    async with open_ledger(sqlite_url, in_loop=True, options=each_alone) as ledger:
        posted = [ledger.post(slowly, name) for name in "abcd"]

    assert all(future.done() for future in posted)


async def test_what_is_queued_is_kept_when_it_is_closed(either_url: str) -> None:
    async with open_ledger(either_url, in_loop=True) as ledger:
        posted = ledger.post(save, "a")
    await asyncio.wait_for(posted, 60)

    with pytest.raises(FatalError, match="closed"):
        await ledger.write(save, "b")
    async with open_ledger(either_url) as again:
        assert await kept(again, "a")
