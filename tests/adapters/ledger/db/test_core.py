import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.adapters.database_events import commits_counted
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.errors import FatalError, RetryableError
from timerex_ghl.domain.shared.models import ConnectionName

TOKYO = ConnectionName("tokyo")


UNCUT = LedgerOptions(transaction_limit_s=600.0)
"""A limit that no slow machine reaches, so that time splits no group."""


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_url, options=UNCUT) as opened:
        yield opened


def save(tx: Connection, name: str, value: str = "x") -> None:
    cursors.save_cursor(tx, TOKYO, name, value)


def count(tx: Connection) -> int:
    return tx.execute(text("SELECT count(*) FROM cursors")).scalar_one()


def save_and_fail(tx: Connection, name: str) -> None:
    save(tx, name)
    raise LookupError(name)


class BlockingWork:
    """Work that keeps the writer busy until opened, so that later units are grouped."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()

    def work(self, _tx: Connection) -> None:
        self.entered.set()
        self._open.wait(60)

    def open(self) -> None:
        self._open.set()


async def close_gate(ledger: Ledger) -> tuple[BlockingWork, "asyncio.Task[None]"]:
    gate = BlockingWork()
    blocked = asyncio.create_task(ledger.write(gate.work))
    await asyncio.to_thread(gate.entered.wait, 60)
    return gate, blocked


@contextmanager
def commits_failing() -> Generator[None]:
    def fail(_tx: Connection) -> None:
        raise OSError("no disk")

    event.listen(Engine, "commit", fail)
    try:
        yield
    finally:
        event.remove(Engine, "commit", fail)


async def test_work_gives_its_result_once_it_is_stored(ledger: Ledger) -> None:
    def work(tx: Connection, name: str, *, value: str) -> int:
        save(tx, name, value)
        return 7

    assert await ledger.write(work, "poll", value="page 2") == 7
    assert await ledger.read(cursors.get_cursor, TOKYO, "poll") == "page 2"


@pytest.mark.parametrize(("limit_s", "commits_of_20"), [(600.0, 1), (0.0, 20)])
async def test_what_waits_together_is_committed_once_unless_that_lasts_too_long(
    ledger_url: str, limit_s: float, commits_of_20: int
) -> None:
    options = LedgerOptions(transaction_limit_s=limit_s)
    async with open_ledger(ledger_url, options=options) as ledger:
        gate, blocked = await close_gate(ledger)
        with commits_counted() as commits:
            writes = [asyncio.create_task(ledger.write(save, str(n))) for n in range(20)]
            await asyncio.sleep(0)
            gate.open()
            await asyncio.gather(blocked, *writes)

        assert len(commits) == 1 + commits_of_20  # the gate's commit, and one for all others
        assert await ledger.read(count) == 20


async def test_work_that_fails_spoils_nothing_but_itself(ledger: Ledger) -> None:
    gate, _blocked = await close_gate(ledger)
    writes = [
        asyncio.create_task(ledger.write(work, name))
        for work, name in [(save, "a"), (save_and_fail, "b"), (save, "c")]
    ]
    await asyncio.sleep(0)
    gate.open()

    before, failed, after = await asyncio.gather(*writes, return_exceptions=True)

    assert (before, after) == (None, None)
    assert isinstance(failed, LookupError)
    assert await ledger.read(cursors.get_cursor, TOKYO, "b") is None
    assert await ledger.read(count) == 2


async def test_a_broken_rule_of_a_table_reaches_its_caller_without_values(ledger: Ledger) -> None:
    def save_twice(tx: Connection) -> None:
        statement = text("INSERT INTO cursors VALUES ('tokyo', 'secret@person.example', 'x')")
        tx.execute(statement)
        tx.execute(
            text("INSERT INTO cursors VALUES (:c, :n, 'x')"),
            {"c": "tokyo", "n": "secret@person.example"},
        )

    with pytest.raises(IntegrityError) as caught:
        await ledger.write(save_twice)

    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.orig)


async def test_when_the_commit_fails_every_caller_gets_the_error(ledger: Ledger) -> None:
    gate, blocked = await close_gate(ledger)
    works = (save, save_and_fail, save)
    writes = [asyncio.create_task(ledger.write(work, str(n))) for n, work in enumerate(works)]
    await asyncio.sleep(0)
    with commits_failing():
        gate.open()
        outcomes = await asyncio.gather(blocked, *writes, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [RetryableError] * 4
    assert await ledger.read(count) == 0
    await ledger.write(save, "later")
    assert await ledger.read(count) == 1


@pytest.mark.parametrize("either_url", ["postgresql"], indirect=True)
async def test_a_lost_server_is_reported_to_the_whole_group_and_found_again(ledger: Ledger) -> None:
    def lose_server(tx: Connection) -> None:
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    gate, blocked = await close_gate(ledger)
    before = asyncio.create_task(ledger.write(save, "before"))
    await asyncio.sleep(0)
    lost = asyncio.create_task(ledger.write(lose_server))
    await asyncio.sleep(0)
    gate.open()
    outcomes = await asyncio.gather(blocked, before, lost, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes[1:]] == [RetryableError] * 2
    await ledger.write(save, "after")
    assert await ledger.read(count) == 1


@pytest.mark.parametrize("either_url", ["sqlite"], indirect=True)
async def test_a_full_disk_stores_nothing_by_halves_and_heals(ledger: Ledger) -> None:
    def limit_pages(tx: Connection, extra: int) -> None:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count = {pages + extra}"))

    await ledger.write(limit_pages, 3)
    gate, blocked = await close_gate(ledger)
    small = asyncio.create_task(ledger.write(save, "small"))
    big = asyncio.create_task(ledger.write(save, "big", "x" * 100_000))
    await asyncio.sleep(0)
    gate.open()

    _, *outcomes = await asyncio.gather(blocked, small, big, return_exceptions=True)

    full = "the ledger's database failed: SQLITE_FULL: the disk is full: free some space"
    assert [str(each) for each in outcomes] == [full] * 2
    assert await ledger.read(count) == 0
    await ledger.write(limit_pages, 1000)
    await ledger.write(save, "big", "x" * 100_000)
    assert await ledger.read(count) == 1


async def test_a_caller_who_went_away_delays_nobody(ledger: Ledger) -> None:
    gate, blocked = await close_gate(ledger)
    unsent = asyncio.create_task(ledger.write(save, "left"))
    stayed = asyncio.create_task(ledger.write(save, "stayed"))
    await asyncio.sleep(0)
    blocked.cancel()
    unsent.cancel()
    gate.open()

    await stayed

    with pytest.raises(asyncio.CancelledError):
        await unsent
    assert await ledger.read(cursors.get_cursor, TOKYO, "stayed") == "x"


async def test_closing_finishes_what_is_queued(ledger_url: str) -> None:
    async with open_ledger(ledger_url, options=UNCUT) as ledger:
        gate, _blocked = await close_gate(ledger)
        writes = [asyncio.create_task(ledger.write(save, str(n))) for n in range(5)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(ledger.close))
        gate.open()
        await closing
        await asyncio.gather(*writes)

        with pytest.raises(FatalError, match="closed"):
            await ledger.write(save, "late")
    async with open_ledger(ledger_url) as ledger:
        assert await ledger.read(count) == 5


async def test_when_the_writer_dies_nobody_waits_for_it(ledger: Ledger) -> None:
    def die(_tx: Connection) -> None:
        raise SystemExit

    gate, _blocked = await close_gate(ledger)
    writes = [asyncio.create_task(ledger.write(save, "before"))]
    writes.append(asyncio.create_task(ledger.write(die)))
    writes.append(asyncio.create_task(ledger.write(save, "after")))
    await asyncio.sleep(0)
    gate.open()

    outcomes = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), 60)

    assert [type(outcome) for outcome in outcomes] == [FatalError] * 3
    with pytest.raises(FatalError, match="died of SystemExit"):
        await ledger.write(save, "later")
    assert await ledger.read(count) == 0


async def test_work_that_runs_out_of_items_does_not_hang(ledger: Ledger) -> None:
    def run_out(_tx: Connection) -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="ran out"):
        await asyncio.wait_for(ledger.write(run_out), 60)
    with pytest.raises(RuntimeError, match="ran out"):
        await asyncio.wait_for(ledger.read(run_out), 60)


async def test_reading_cannot_write(ledger: Ledger) -> None:
    with pytest.raises((DBAPIError, RetryableError)):
        await ledger.read(save, "poll")

    assert await ledger.read(count) == 0


async def test_a_read_sees_one_moment(ledger: Ledger) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def count_twice(tx: Connection) -> tuple[int, int]:
        first = count(tx)
        begun.set()
        go_on.wait(60)
        return first, count(tx)

    reading = asyncio.create_task(ledger.read(count_twice))
    await asyncio.to_thread(begun.wait, 60)
    await ledger.write(save, "poll")
    go_on.set()

    assert await reading == (0, 0)
    assert await ledger.read(count) == 1
