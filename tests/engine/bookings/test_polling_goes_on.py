"""A poll that was stopped, for whatever reason, continues from its position."""

import pytest

from tests.engine.polling_world import PollingWorld
from tests.engine.world import killed_at
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import BookingId
from timerex_ghl.engine.bookings.poll_bookings import SPARE

MEI = "mei@hinode.example"


async def test_a_run_without_remaining_calls_saves_its_place_and_the_next_goes_on_from_there(
    polling: PollingWorld,
) -> None:
    for number in range(14):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")
    few = polling.rate_limited.sparing(
        46, wait_s=0
    )  # 14 calls: the calendars, a page, its bookings, one

    first = await polling.poll(few)
    asked_first = await polling.calls()
    second = await polling.poll()
    asked_second = await polling.calls()

    assert first.stopped == "TimeRex's rate limit is reached"
    assert len(asked_first) == 14
    assert first.found.stored == 10
    assert (second.stopped, second.found.stored) == (None, 4)
    assert "get-team-calendars" not in asked_second
    assert len(await polling.waiting()) == 14


async def test_a_poll_leaves_calls_to_bookings_that_are_read_back_live(
    polling: PollingWorld,
) -> None:
    for number in range(60):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")

    run = await polling.poll(polling.rate_limited.sparing(SPARE, wait_s=0))
    asked = await polling.calls()
    booking_id = BookingId((await polling.waiting())[0].partition(":")[2])
    for _ in range(SPARE):
        await polling.rate_limited.get_event(booking_id, wait_s=0)

    assert run.stopped == "TimeRex's rate limit is reached"
    assert len(asked) == 60 - SPARE


async def test_a_run_whose_time_is_up_saves_its_place(polling: PollingWorld) -> None:
    await polling.book()

    none = await polling.poll(for_s=0)
    rest = await polling.poll()

    assert none.stopped == "time is up"
    assert rest.found.stored == 1


async def test_a_run_that_is_killed_in_mid_page_is_gone_on_with_and_stores_nothing_twice(
    polling: PollingWorld,
) -> None:
    for number in range(12):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")

    await polling.poll(polling.rate_limited.sparing(58, wait_s=0))  # two calls: the calendars
    with killed_at(polling.world, "poll", "before-save"):
        await polling.poll()
    await polling.calls()
    run = await polling.poll()

    assert (await polling.calls()).count("get-event") == 2
    assert run.found.stored == 2
    waiting = await polling.waiting()
    assert len(waiting) == len(set(waiting)) == 12


async def test_an_outage_in_mid_scan_is_gone_on_with(polling: PollingWorld) -> None:
    for number in range(12):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")
    await polling.fault("get-event", 503, nth=9, times=3)

    with pytest.raises(RetryableError):
        await polling.poll()
    await polling.poll()
    await polling.poll()

    assert len(await polling.waiting()) == 12


async def test_a_booking_that_cannot_be_read_keeps_no_other_back(polling: PollingWorld) -> None:
    for number in range(12):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")
    await polling.fault("get-event", 500, nth=2)
    await polling.fault("get-event", 400, nth=5)

    first, second = await polling.poll(), await polling.poll()

    assert (first.found.unread, first.found.stored) == (2, 10)
    assert (second.found.unread, second.found.stored) == (0, 2)


async def test_a_run_that_stops_in_mid_page_reports_what_it_did(polling: PollingWorld) -> None:
    for number in range(5):
        await polling.book(hours=24 + number, guest_email=f"g{number}@hinode.example")

    run = await polling.poll(
        polling.rate_limited.sparing(54, wait_s=0)
    )  # two for calendars, a page, 3

    assert run.stopped == "TimeRex's rate limit is reached"
    assert run.found.stored == len(await polling.waiting()) == 3


async def test_a_page_that_timerex_refuses_by_now_does_not_stop_the_other_calendars(
    polling: PollingWorld,
) -> None:
    other = await polling.world.ask("POST", "/timerex/calendars", {"name": "Demo"})
    await polling.book()
    await polling.book(guest_email=MEI, calendar_id=other["calendar_id"])
    await polling.fault("get-calendar-events", 404)

    first, second = await polling.poll(), await polling.poll()

    assert (first.found.unread, first.found.stored) == (1, 1)
    assert (second.found.unread, second.found.stored) == (0, 1)
