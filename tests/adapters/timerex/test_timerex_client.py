"""Every method over real HTTP, with both kinds of credentials."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.adapters.timerex.api_world import START, ApiWorld
from timerex_ghl.adapters.timerex.client import every, every_calendar
from timerex_ghl.adapters.timerex.replies import (
    CalendarId,
    EventRow,
    OneTimeUrlId,
    PageToken,
    TimerexPage,
)
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.shared.errors import NotFoundError, RetryableError, SkippableError
from timerex_ghl.domain.shared.models import BookingId, BookingState


async def test_a_key_sees_its_own_team_and_an_oauth_app_all_of_the_users(api: ApiWorld) -> None:
    by_key, by_oauth = api.by_key(), api.by_oauth()

    (own,) = (await by_key.list_teams()).items
    both = (await by_oauth.list_teams()).items

    assert await by_key.get_primary_team() == own
    assert (own.path, own.is_primary) == ("aoba_4d1e", False)
    assert own in both
    assert (await by_oauth.get_primary_team()).is_primary
    assert len([one async for one in every_calendar(by_key)]) == 2
    assert len([one async for one in every_calendar(by_oauth)]) == 3


async def test_the_user_is_for_oauth_only(api: ApiWorld) -> None:
    assert (await api.by_oauth().get_user()).name == "Mori Kana"
    with pytest.raises(SkippableError, match=r"400 to user\.get"):
        await api.by_key().get_user()


async def test_calendars_come_twenty_a_page_and_all_of_them_once(api: ApiWorld) -> None:
    for number in range(43):
        await api.control("POST", "/calendars", name=f"Room {number}")
    client = api.by_key()
    team = await client.get_primary_team()

    first = await client.list_calendars(team.id)
    found = [one async for one in every(partial(client.list_calendars, team.id))]

    assert len(first.items) == 20
    assert len({one.id for one in found}) == len(found) == 45
    assert await client.get_calendar(found[-1].id) == found[-1]


async def test_events_of_a_time_come_ten_a_page_and_all_of_them_once(api: ApiWorld) -> None:
    ids = [await api.book(hours=number) for number in range(25)]
    await api.book(hours=-1)
    await api.book(hours=30)
    client = api.by_key()
    read = partial(client.list_events, api.calendar_id, START, START + timedelta(hours=24))

    first = await read()
    found = [row async for row in every(read)]

    assert len(first.items) == 10
    assert [row.id for row in found] == ids
    assert found[0].starts_at == START
    assert not found[0].cancelled


async def test_the_poll_reads_the_very_booking_that_the_webhook_brings(api: ApiWorld) -> None:
    answers = [
        {"field_type": "checkboxes", "label": "興味", "value": ["A", "C"]},
        {"field_type": "dropdown", "label": "規模", "value": "1-10"},
    ]
    event_id = await api.book(answers=answers, url_params={"ghl_contact": "x"}, guest_company="Umi")
    reported = read_delivery(await api.webhook_of(event_id)).booking
    client = api.by_key()

    name = (await client.get_calendar(api.calendar_id)).name

    assert await client.get_event(event_id, calendar_name=name) == reported


@pytest.mark.parametrize("moved", [False, True])
async def test_an_event_that_no_longer_stands_reads_as_its_webhook(
    api: ApiWorld, *, moved: bool
) -> None:
    event_id = await api.book()
    if moved:
        new = await api.control(
            "POST", f"/bookings/{event_id}/reschedule", starts_at="2026-02-11T01:00:00Z"
        )
    else:
        new = {"event_id": None}
        await api.control("POST", f"/bookings/{event_id}/cancel", reason="Another day")

    booking = await api.by_key().get_event(event_id)

    assert booking.state is (BookingState.MOVED if moved else BookingState.CANCELLED)
    assert booking.new_id == new["event_id"]
    assert booking.cancellation_reason == (None if moved else "Another day")


async def test_what_acts_on_a_booking_is_not_read(api: ApiWorld) -> None:
    text = repr(await api.by_key().get_event(await api.book()))

    assert "host_cancel" not in text
    assert "482913" not in text


async def test_a_cancel_is_noticed_by_the_next_read_and_a_second_one_is_refused(
    api: ApiWorld,
) -> None:
    event_id = await api.book()
    client = api.by_key()

    await client.cancel_event(event_id)

    assert (await client.get_event(event_id)).state is BookingState.CANCELLED
    with pytest.raises(SkippableError, match="400"):
        await client.cancel_event(event_id)


async def test_a_one_time_url_reports_who_booked_through_it(api: ApiWorld) -> None:
    client = api.by_key()
    made = await client.create_one_time_url(api.calendar_id)
    await client.watch_one_time_url(
        made.id, token="canary", notification_url="https://aoba.example/pushed"
    )
    body: dict[str, Any] = {"guest_name": "Riku", "guest_email": "riku@hinode.example"}
    booked = await api.control(
        "POST", f"/one_time_urls/{made.id}/book", **body, starts_at=START.isoformat()
    )

    after = await client.get_one_time_url(made.id)

    assert made.booking is None
    assert after.booking is not None
    assert (after.booking.id, after.booking.timezone) == (booked["event_id"], "Asia/Tokyo")
    assert made.url not in repr(made), "whoever has the URL can book"


async def test_what_is_not_there_is_not_found(api: ApiWorld) -> None:
    client = api.by_key()

    with pytest.raises(NotFoundError, match=r"404 to event\.get \(event nonsense\)"):
        await client.get_event(BookingId("nonsense"))
    with pytest.raises(NotFoundError):
        await client.get_calendar(CalendarId("nonsense"))
    with pytest.raises(NotFoundError):
        await client.get_one_time_url(OneTimeUrlId("nonsense"))


async def test_another_teams_calendar_is_not_found_with_a_key(api: ApiWorld) -> None:
    calendars = [one async for one in every_calendar(api.by_oauth())]
    own = {one.id async for one in every_calendar(api.by_key())}
    (foreign,) = [one for one in calendars if one.id not in own]

    with pytest.raises(NotFoundError, match="belongs to another team"):
        await api.by_key().get_calendar(foreign.id)


@pytest.mark.parametrize("id_", ["..", "a/b", "", "x?y", "a" * 129, "日本"])
async def test_an_id_that_is_none_is_not_put_into_an_address(api: ApiWorld, id_: str) -> None:
    with pytest.raises(SkippableError, match="use an id from TimeRex"):
        await api.by_key().get_event(BookingId(id_))
    assert await api.calls() == []


def row(id_: str) -> EventRow:
    return EventRow(id=BookingId(id_), cancelled=False, starts_at=START, ends_at=START)


@pytest.mark.parametrize(
    "pages",
    [
        [TimerexPage((row("a"),), PageToken("1")), TimerexPage((row("b"),), PageToken("1"))],
        [TimerexPage((row("a"),), PageToken("1")), TimerexPage((row("a"),), PageToken("2"))],
        [TimerexPage((row("a"),), PageToken("1")), TimerexPage[EventRow]((), PageToken("2"))],
    ],
    ids=["same token", "same page", "empty page"],
)
async def test_a_list_that_does_not_get_ahead_is_an_error_and_not_the_end(
    pages: list[TimerexPage[EventRow]],
) -> None:
    remaining = iter(pages)

    async def read(_token: PageToken | None) -> TimerexPage[EventRow]:
        return next(remaining)

    with pytest.raises(RetryableError, match="same page again"):
        _ = [one async for one in every(read)]
