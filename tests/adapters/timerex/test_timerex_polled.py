"""A booking read over the API is stored like a webhook delivery."""

import json
from datetime import UTC, datetime

from tests.adapters.timerex.api_world import START, ApiWorld
from timerex_ghl.adapters.timerex.client import every, every_calendar
from timerex_ghl.adapters.timerex.polled import Polled, happened_at, key_of_row
from timerex_ghl.adapters.timerex.replies import EventRow, TimerexCalendar
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.shared.models import BookingId


async def calendar_of(api: ApiWorld) -> TimerexCalendar:
    every_one = [one async for one in every_calendar(api.by_key())]
    return next(one for one in every_one if one.id == api.calendar_id)


async def polled(api: ApiWorld, event_id: BookingId) -> Polled:
    return await api.by_key().get_delivery(event_id, await calendar_of(api))


async def row_of(api: ApiWorld, event_id: BookingId) -> EventRow:
    client = api.by_key()
    rows = every(lambda page: client.list_events(api.calendar_id, START, START, page))
    return next(row for row in [row async for row in rows] if row.id == event_id)


async def test_it_reads_as_the_webhook_does(api: ApiWorld) -> None:
    event_id = await api.book(url_params={"utm_source": "news"}, guest_company="Hinode")

    made = await polled(api, event_id)
    reported = read_delivery(await api.webhook_of(event_id))
    read = read_delivery(made.body.encode())

    assert read.booking == reported.booking == made.booking
    assert (read.type, read.team, read.calendar_path, read.event_id) == (
        reported.type,
        reported.team,
        reported.calendar_path,
        reported.event_id,
    )


async def test_its_key_is_no_webhooks_and_the_same_as_its_rows(api: ApiWorld) -> None:
    event_id = await api.book()

    key = (await polled(api, event_id)).dedupe_key

    assert key == key_of_row(await row_of(api, event_id))
    assert " " in key
    assert " " not in read_delivery(await api.webhook_of(event_id)).dedupe_key


async def test_no_event_id_of_a_webhook_makes_a_key_of_a_polled_one() -> None:
    body = {
        "webhook_type": "event_confirmed",
        "event": {
            "id": "polled",
            "start_datetime": START.isoformat(),
            "end_datetime": START.isoformat(),
        },
    }

    assert " " not in read_delivery(json.dumps(body).encode()).dedupe_key


async def test_a_cancelled_one_has_another_key_and_says_when(api: ApiWorld) -> None:
    event_id = await api.book()
    before = await polled(api, event_id)
    begun = datetime.now(UTC).replace(microsecond=0)
    await api.control("POST", f"/bookings/{event_id}/cancel")

    after = await polled(api, event_id)

    assert (before.type, after.type) == ("event_confirmed", "event_cancelled")
    assert after.dedupe_key == key_of_row(await row_of(api, event_id)) != before.dedupe_key
    assert (happened_at(after.body) or START) >= begun


def test_a_body_that_says_no_time_has_none() -> None:
    assert happened_at('{"event": {"id": "b1"}}') is None
    assert happened_at("{}") is None


async def test_it_shows_nobodys_details(api: ApiWorld) -> None:
    made = await polled(api, await api.book())

    assert "schedule/cancel" not in repr(made)
