"""The pace, shared through the ledger by everyone who calls."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
from sqlalchemy import Connection

from tests.adapters.ghl.paced import AOBA, call_as_a_process, counting_server
from timerex_ghl.adapters.ghl.pacing import LedgerPacer
from timerex_ghl.adapters.ledger import quota
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.quota import Pace, Slot
from timerex_ghl.sync.errors import FatalError, RateLimitedError
from timerex_ghl.sync.models import LocationId

QUICK = Pace(limit=5, window_s=0.3, deadline_s=25)


async def call(pacer: LedgerPacer, lasts_s: float = 0) -> None:
    async with pacer.slot():
        await asyncio.sleep(lasts_s)


async def call_often(pacer: LedgerPacer, times: int) -> None:
    await asyncio.gather(*(call(pacer) for _ in range(times)))


@pytest.mark.slow
async def test_no_window_sees_more_calls_than_allowed_and_hardly_fewer(ledger_url: str) -> None:
    pace = Pace(limit=20, window_s=1, deadline_s=5)
    spawned = multiprocessing.get_context("spawn")
    async with counting_server(processes=2) as counted:
        with ProcessPoolExecutor(2, spawned) as pool:
            job = ledger_url, counted.url, pace, 30
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(loop.run_in_executor(pool, call_as_a_process, *job) for _ in range(2))
            )

    took_s = max(counted.arrivals) - min(counted.arrivals)
    assert len(counted.arrivals) == 60
    assert counted.most_in_any(pace.window_s) <= pace.limit
    assert (60 - pace.limit) / took_s >= 0.9 * pace.limit / pace.window_s


async def test_who_waits_together_is_served_by_one_write(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    take = quota.take_slots

    def counted(
        tx: Connection, location_id: LocationId, wanted: int, pace: Pace, share: int | None = None
    ) -> tuple[list[Slot], float]:
        asked.append(wanted)
        return take(tx, location_id, wanted, pace, share)

    monkeypatch.setattr(quota, "take_slots", counted)
    pacer = LedgerPacer(ledger, AOBA, Pace(limit=100))

    await call_often(pacer, 40)

    assert asked == [40]


async def test_a_process_that_falls_silent_lets_go_of_its_slots(ledger: Ledger) -> None:
    silent, other = LedgerPacer(ledger, AOBA, QUICK), LedgerPacer(ledger, AOBA, QUICK)
    await call_often(silent, 5)

    async with asyncio.timeout(5):  # and not the 25 seconds of a process that died
        await call(other)


async def test_who_was_silent_for_a_window_need_not_wait(ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, Pace(limit=5, window_s=0.15, deadline_s=25))
    await call_often(pacer, 5)
    await asyncio.sleep(0.16)  # the ledger has not heard yet that the calls ended

    async with asyncio.timeout(0.14):
        await call_often(pacer, 5)


async def test_closing_tells_which_calls_ended(ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, QUICK)
    await call_often(pacer, 5)

    await pacer.close()
    await asyncio.sleep(0.32)

    assert (await ledger.read(quota.usage, AOBA)).in_window == 0


async def test_a_429_stops_every_process_and_no_other_location(ledger: Ledger) -> None:
    told, other = LedgerPacer(ledger, AOBA, QUICK), LedgerPacer(ledger, AOBA, QUICK)
    elsewhere = LedgerPacer(ledger, LocationId("locHinode"), QUICK)

    await told.hold(0.4)

    waiting = asyncio.create_task(call(other))
    async with asyncio.timeout(0.3):
        await call(elsewhere)
    assert not waiting.done()
    await waiting


async def test_a_day_that_is_used_up_gives_the_call_back(ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, QUICK)
    await call(pacer)
    pacer.told({"x-ratelimit-daily-remaining": "0", "x-ratelimit-daily-reset": "3600000"})

    async with asyncio.timeout(5):
        both = await asyncio.gather(call(pacer), call(pacer), return_exceptions=True)

    for error in both:
        assert isinstance(error, RateLimitedError)
        assert 3590 < (error.after_s or 0) <= 3600
    await call(LedgerPacer(ledger, LocationId("locHinode"), QUICK))


async def test_what_ghl_says_is_kept_for_everyone(ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, Pace(limit=5, window_s=10, deadline_s=25))
    async with pacer.slot():
        pacer.told({"x-ratelimit-remaining": "1", "x-ratelimit-daily-remaining": "150000"})
        await call(pacer)

    usage = await ledger.read(quota.usage, AOBA)
    assert (usage.in_window, usage.today) == (5, 50_001)
    await pacer.close()


@pytest.mark.parametrize("value", ["", "-1", "many", "1e3", "²"])
async def test_a_header_that_is_no_number_says_nothing(value: str, ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, QUICK)

    pacer.told({"x-ratelimit-remaining": value, "x-ratelimit-daily-remaining": value})

    await call_often(pacer, 5)


async def test_who_is_stopped_while_waiting_takes_nobodys_slot(ledger: Ledger) -> None:
    pacer = LedgerPacer(ledger, AOBA, QUICK)
    holding = [asyncio.create_task(call(pacer, 0.2)) for _ in range(5)]
    await asyncio.sleep(0.1)
    stopped = asyncio.create_task(call(pacer))
    last = asyncio.create_task(call(pacer))
    await asyncio.sleep(0.05)

    stopped.cancel()

    async with asyncio.timeout(5):
        await asyncio.gather(*holding, last)
    assert stopped.cancelled()
    assert (await ledger.read(quota.usage, AOBA)).today == 6


async def test_nobody_waits_for_ever_for_a_ledger_that_is_gone(ledger_url: str) -> None:
    async with open_ledger(ledger_url) as ledger:
        pacer = LedgerPacer(ledger, AOBA, QUICK)
        await call(pacer)
        await pacer.close()

    async with asyncio.timeout(5):
        with pytest.raises(FatalError, match="closed"):
            await call(pacer)
