"""The live worker's lease: it ends before another can take it, and is never lost silently."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from flows.live import lease as lease_module
from flows.live.lease import Lease, LeaseLostError, take_lease
from flows.live.live_run import LiveRun
from flows.live.live_worker import OUTAGE_S, Connections, LiveWorker
from tests.adapters.fake_time import FakeTime
from tests.flows.live_worker import until
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions
from timerex_ghl.adapters.ledger.db.sqlite import choose_module
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.dispatch import Batch, Dispatcher
from timerex_ghl.engine.writes.lock_names import lock_of_live

NAME = ConnectionName("aoba")
OTHER = "elsewhere:1:live:0"


IMPATIENT = LedgerOptions(lock_wait_s=0.05)
"""A ledger whose file another program keeps locked fails at once."""


def lock_file(url: str) -> sqlite3.Connection:
    connection: sqlite3.Connection = choose_module().connect(
        url.removeprefix("sqlite:///"), isolation_level=None
    )
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def store_event(ledger: Ledger) -> None:
    await ledger.write(
        inbox.store_event,
        connection=NAME,
        source="ghl",
        type="ContactUpdate",
        dedupe_key="one",
        body="{}",
        now=utc_now(),
    )


@asynccontextmanager
async def made(ledger: Ledger, lease: Lease) -> AsyncGenerator[LiveWorker]:
    async with ledger.listening() as alarm:
        dispatcher = Dispatcher(ledger, alarm)
        dispatcher.open = [NAME]
        yield LiveWorker(ledger, dispatcher, Connections(ledger, dispatcher), lease)


async def comes_true(claim: Callable[[], bool]) -> None:
    async def look() -> bool | None:
        return claim() or None

    await until(look, "what is waited for", 60)


async def test_its_holder_stops_before_another_can_take_it(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = FakeTime()
    monkeypatch.setattr(lease_module, "seconds", time.monotonic)
    async with open_ledger(ledger_url, options=LedgerOptions(clock=time.now)) as ledger:
        lease = await take_lease(ledger)
        steps: list[tuple[bool, bool]] = []
        for _ in range(11):
            fence = await ledger.write(locks.try_lock, [lock_of_live()], OTHER, 10)
            steps.append((lease.is_valid, fence is not None))
            time.advance(1)

    assert steps == [(True, False)] * 9 + [(False, False), (False, True)]


async def test_during_an_outage_it_ends_and_afterwards_its_holder_goes_on(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TIMEREX_GHL_LIVE_LEASE_S", "0.5")
    caplog.set_level(logging.WARNING, logger=lease_module.__name__)
    async with open_ledger(sqlite_url, options=IMPATIENT) as ledger:
        lease = await take_lease(ledger)
        keeping = asyncio.create_task(lease.keep())
        other = lock_file(sqlite_url)
        await comes_true(lambda: not lease.is_valid)
        await asyncio.sleep(0.5)
        other.close()
        await comes_true(lambda: lease.is_valid)

        assert not keeping.done()
        keeping.cancel()

    failed, works = [record.getMessage() for record in caplog.records]
    assert "locked by another process" in failed
    assert works == "the ledger's database works again"


async def test_a_holder_that_was_replaced_ends(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMEREX_GHL_LIVE_LEASE_S", "0.5")
    lease = await take_lease(ledger)

    async def taken() -> bool | None:
        fence = await ledger.write(locks.try_lock, [lock_of_live()], OTHER, 60)
        return True if fence else None

    await until(taken, "the lease is taken", 60)

    with pytest.raises(LeaseLostError, match="another live worker took over"):
        await asyncio.wait_for(lease.keep(), 60)


async def test_a_standby_waits_through_an_outage(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger=lease_module.__name__)
    async with open_ledger(sqlite_url, options=IMPATIENT) as ledger:
        other = lock_file(sqlite_url)
        waiting = asyncio.create_task(take_lease(ledger))
        await comes_true(lambda: bool(caplog.records))

        other.close()
        lease = await asyncio.wait_for(waiting, 60)

    assert lease.is_valid
    assert len(caplog.records) == 2


class EndingLease(Lease):
    """A lease that ends while the inbox is read."""

    asked = 0

    @property
    def is_valid(self) -> bool:
        self.asked += 1
        return self.asked == 1


async def test_what_was_read_while_the_lease_ended_is_not_handed_out(ledger: Ledger) -> None:
    fence = await ledger.write(locks.try_lock, [lock_of_live()], OTHER, 60)
    assert fence is not None
    lease = EndingLease(ledger, fence, 0.0, 60)
    await store_event(ledger)
    async with made(ledger, lease) as worker:

        async def take_all() -> list[Batch]:
            return [batch async for batch in worker.batches("me")]

        taking = asyncio.create_task(take_all())
        await comes_true(lambda: lease.asked > 2)
        worker.halt()

        assert await taking == []
        assert worker.dispatcher.is_idle(NAME)


async def test_a_batch_that_the_ledger_failed_is_tried_again_after_a_pause(ledger: Ledger) -> None:
    tried_at: list[float] = []

    async def work(*_arguments: object) -> Counts:
        tried_at.append(asyncio.get_running_loop().time())
        if len(tried_at) == 1:
            raise RetryableError("the ledger's database failed")
        worker.halt()
        return Counts()

    await store_event(ledger)
    async with made(ledger, await take_lease(ledger)) as worker:
        live_run = LiveRun(worker, timedelta(minutes=1), most=10, work=work)
        async for batch in worker.batches("me"):
            live_run.handle(batch)
        await live_run.finish()

    assert tried_at[1] - tried_at[0] > OUTAGE_S * 0.9
    assert worker.fault is None
