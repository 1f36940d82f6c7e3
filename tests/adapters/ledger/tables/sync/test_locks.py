import asyncio
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from tests.adapters.fake_time import FakeTime
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence

SERVER_IS_OFF = timedelta(seconds=5)
"""PostgreSQL may run on another machine, with another clock."""


async def take(ledger: Ledger, *names: str, holder: str = "anna") -> Fence:
    fence = await ledger.write(locks.try_lock, names, holder, 30)
    assert fence is not None
    return fence


async def test_a_lock_has_one_holder(ledger: Ledger) -> None:
    fence = await take(ledger, "person 1")

    assert await ledger.write(locks.try_lock, ["person 1"], "ben", 30) is None
    assert await ledger.read(locks.all_valid, [fence]) == [True]
    assert await ledger.read(locks.holder_of, "person 1") == "anna"


async def test_a_holder_cannot_take_its_lock_twice(ledger: Ledger) -> None:
    await take(ledger, "person 1")

    assert await ledger.write(locks.try_lock, ["person 1"], "anna", 30) is None


async def test_of_many_who_try_at_once_one_gets_it(ledger: Ledger) -> None:
    fences = await asyncio.gather(
        *(ledger.write(locks.try_lock, ["person 1"], f"worker {n}", 30) for n in range(20))
    )

    assert sum(fence is not None for fence in fences) == 1


async def test_locks_are_taken_all_or_none(ledger: Ledger) -> None:
    await take(ledger, "phone", holder="ben")

    assert await ledger.write(locks.try_lock, ["email", "phone"], "anna", 30) is None
    assert await ledger.read(locks.holder_of, "email") is None


async def test_a_fence_names_its_locks_sorted_and_once(ledger: Ledger) -> None:
    fence = await take(ledger, "phone", "email", "phone")

    assert fence.names == ("email", "phone")


async def test_a_released_lock_is_free_and_its_next_number_higher(ledger: Ledger) -> None:
    first = await take(ledger, "person 1")
    await ledger.write(locks.release_locks, [first])
    assert await ledger.read(locks.holder_of, "person 1") is None

    second = await take(ledger, "person 1", holder="ben")

    assert second.number > first.number
    assert await ledger.read(locks.all_valid, [first]) == [False]


async def test_a_number_exceeds_every_number_its_locks_had(ledger: Ledger) -> None:
    first = await take(ledger, "email")
    await ledger.write(locks.release_locks, [first])
    often = await take(ledger, "email")
    await ledger.write(locks.release_locks, [often])
    rarely = await take(ledger, "phone")
    await ledger.write(locks.release_locks, [rarely])

    both = await take(ledger, "email", "phone")
    await ledger.write(locks.release_locks, [both])
    phone_again = await take(ledger, "phone")

    assert both.number > often.number > rarely.number
    assert phone_again.number > both.number


async def test_a_lock_whose_time_ran_out_is_taken_over(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    stale = await take(timed_ledger, "person 1")
    fake_time.advance(29.999)
    assert await timed_ledger.write(locks.try_lock, ["person 1"], "ben", 30) is None
    fake_time.advance(0.001)

    fresh = await take(timed_ledger, "person 1", holder="ben")

    assert fresh.number > stale.number
    assert await timed_ledger.read(locks.all_valid, [stale]) == [False]
    assert not await timed_ledger.write(locks.renew_lock, stale, 30)
    await timed_ledger.write(locks.release_locks, [stale])
    assert await timed_ledger.read(locks.all_valid, [fresh]) == [True]


async def test_a_lock_whose_time_ran_out_is_owned_by_nobody(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    fence = await take(timed_ledger, "person 1")
    fake_time.advance(30)

    assert await timed_ledger.read(locks.all_valid, [fence]) == [False]
    assert await timed_ledger.read(locks.holder_of, "person 1") is None


async def test_a_renewed_lock_lives_on(timed_ledger: Ledger, fake_time: FakeTime) -> None:
    fence = await take(timed_ledger, "person 1")
    fake_time.advance(29)

    assert await timed_ledger.write(locks.renew_lock, fence, 30)

    fake_time.advance(29)
    assert await timed_ledger.read(locks.all_valid, [fence]) == [True]


async def test_a_lock_nobody_took_can_be_renewed_late(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    fence = await take(timed_ledger, "person 1")
    fake_time.advance(60)

    assert await timed_ledger.write(locks.renew_lock, fence, 30)
    assert await timed_ledger.read(locks.all_valid, [fence]) == [True]


async def test_losing_one_lock_is_losing_the_fence(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    both = await take(timed_ledger, "email", "phone")
    fake_time.advance(30)
    await take(timed_ledger, "phone", holder="ben")

    assert not await timed_ledger.write(locks.renew_lock, both, 30)
    assert await timed_ledger.read(locks.all_valid, [both]) == [False]


async def test_the_clock_is_aware_and_now(ledger: Ledger) -> None:
    before = datetime.now(UTC)
    reported = await ledger.read(clock.now)
    after = datetime.now(UTC)

    assert reported.tzinfo is UTC
    assert before - SERVER_IS_OFF <= reported <= after + SERVER_IS_OFF


async def test_a_ledger_that_is_given_a_clock_goes_by_it(
    timed_ledger: Ledger, fake_time: FakeTime
) -> None:
    fake_time.advance(7)

    assert await timed_ledger.read(clock.now) == fake_time.now()
    assert await timed_ledger.write(clock.now) == fake_time.now()


async def test_the_clock_moves_within_a_transaction(ledger: Ledger) -> None:
    def read_twice(tx: Connection) -> timedelta:
        first = clock.now(tx)
        time.sleep(0.002)
        return clock.now(tx) - first

    assert await ledger.read(read_twice) > timedelta(0)


async def test_locks_of_dead_processes_are_free_and_their_fences_broken(
    ledger: Ledger,
) -> None:
    gone = await ledger.write(locks.try_lock, ["a", "b"], "gone", 30)
    alive = await ledger.write(locks.try_lock, ["c"], "alive", 30)
    assert gone is not None
    assert alive is not None

    assert await ledger.write(locks.release_dead, lambda holder: holder == "gone") == 2

    assert await ledger.read(locks.all_valid, [gone]) == [False]
    assert await ledger.read(locks.all_valid, [alive]) == [True]
    assert await ledger.write(locks.try_lock, ["a", "c"], "next", 30) is None
    assert await ledger.write(locks.try_lock, ["a", "b"], "next", 30) is not None
