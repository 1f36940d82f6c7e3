"""TimeRex's booking pages: prefilled by the URL, with hidden parameters, and real bookings."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.timerex.timerex_calling import TimerexCaller

ANSWERS = {
    "guest_name": "佐藤 陸",
    "guest_email": "riku@hinode.example",
    "starts_at": "2026-02-10T10:00:00+09:00",
}


@pytest.fixture
def timerex(sandbox: SandboxCaller) -> TimerexCaller:
    return TimerexCaller(sandbox)


async def show(timerex: TimerexCaller, url: str, **params: str) -> httpx.Response:
    return await timerex.sandbox.http.get(url, params=params)


async def send(
    timerex: TimerexCaller,
    url: str,
    form: Mapping[str, Any] | None = None,
    *,
    params: Mapping[str, str] | None = None,
) -> httpx.Response:
    data = {**ANSWERS, **(form or {})}
    return await timerex.sandbox.http.post(url, params=params, data=data)


async def events(timerex: TimerexCaller) -> list[str]:
    found = (await timerex.control("GET", "/deliveries"))["deliveries"]
    return [one["event_id"] for one in found]


async def test_a_page_asks_the_calendars_questions_and_is_filled_in_from_its_address(
    timerex: TimerexCaller,
) -> None:
    question = {"field_type": "dropdown", "label": "規模", "options": ["1-10", "11+"]}
    made = await timerex.control("POST", "/calendars", name="Room <1>", questions=[question])
    own = made["question_ids"]["規模"]

    page = await show(
        timerex, made["url"], guest_name='"><script>', guest_email="a@b.example", **{own: "11+"}
    )

    assert page.status_code == 200
    assert "<option selected>11+</option>" in page.text
    assert 'value="a@b.example"' in page.text
    assert "Room &lt;1&gt;" in page.text
    assert "<script>" not in page.text
    assert page.text.count("<label") >= 5


async def test_sending_the_form_books_for_real_with_the_hidden_parameters(
    timerex: TimerexCaller,
) -> None:
    params = {"guest_name": "prefilled", "locale": "ja", "ghl_contact": "signed", "utm": "news"}

    page = await send(
        timerex, timerex.info.booking_url, {"guest_comment": "Tea & talk"}, params=params
    )

    (event_id,) = await events(timerex)
    event = await timerex.get(f"/events/{event_id}")
    answers = {item["field_type"]: item["value"] for item in event["form"]}
    assert f'<code id="event-id">{event_id}</code>' in page.text
    assert event["url_params"] == [{"ghl_contact": "signed"}, {"utm": "news"}]
    assert event["start_datetime"] == "2026-02-10T01:00:00+00:00"
    assert (answers["guest_name"], answers["guest_comment"]) == ("佐藤 陸", "Tea & talk")


async def test_checkboxes_come_back_as_a_list(timerex: TimerexCaller) -> None:
    question = {"field_type": "checkboxes", "label": "興味", "options": ["A", "B", "C"]}
    made = await timerex.control("POST", "/calendars", name="Room", questions=[question])
    own = made["question_ids"]["興味"]

    await send(timerex, made["url"], {own: ["A", "C"]})

    (event_id,) = await events(timerex)
    item = (await timerex.get(f"/events/{event_id}"))["form"][-1]
    assert (item["label"], item["value"], item["options"]) == ("興味", ["A", "C"], ["A", "B", "C"])


@pytest.mark.parametrize(("count", "status"), [(25, 200), (26, 400)])
async def test_more_than_25_hidden_parameters_show_an_error(
    timerex: TimerexCaller, count: int, status: int
) -> None:
    params = {f"p{number}": "x" for number in range(count)} | {"guest_name": "Riku"}

    shown = await show(timerex, timerex.info.booking_url, **params)
    sent = await send(timerex, timerex.info.booking_url, params=params)

    assert (shown.status_code, sent.status_code) == (status, status)
    assert len(await events(timerex)) == (status == 200)


@pytest.mark.parametrize(
    "wrong",
    [
        {"guest_name": " "},
        {"guest_email": "riku＠hinode.example"},
        {"guest_email": ""},
        {"starts_at": "tomorrow"},
        {"starts_at": "2026-02-10T10:00:00"},
        {"starts_at": "9999-12-31T23:00:00-23:00"},
    ],
)
async def test_a_form_that_is_not_filled_in_rightly_books_nothing(
    timerex: TimerexCaller, wrong: dict[str, str]
) -> None:
    page = await send(timerex, timerex.info.booking_url, wrong)

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert await events(timerex) == []


async def test_an_answer_that_is_not_offered_is_refused(timerex: TimerexCaller) -> None:
    question = {"field_type": "radio", "label": "規模", "options": ["1", "2"]}
    made = await timerex.control("POST", "/calendars", name="Room", questions=[question])

    page = await send(timerex, made["url"], {made["question_ids"]["規模"]: "3"})

    assert page.status_code == 422


async def test_a_one_time_page_books_once_and_keeps_hidden_parameters(
    timerex: TimerexCaller,
) -> None:
    path = f"/calendars/{timerex.info.calendar_id}/one-time-url"
    made = (await timerex.api("POST", path)).json()

    first = await send(timerex, made["url"], params={"utm": "news"})
    second = await send(timerex, made["url"])

    (event_id,) = await events(timerex)
    assert (first.status_code, second.status_code) == (200, 410)
    assert (await timerex.get(f"/events/{event_id}"))["url_params"] == [{"utm": "news"}]
    assert (await timerex.get(f"/calendars/one-time-url/{made['id']}"))["status"] == "confirmed"


@pytest.mark.parametrize("path", ["/s/aoba_4d1e/nothing", "/s/nothing", "/nothing"])
async def test_an_unknown_page_is_a_404(timerex: TimerexCaller, path: str) -> None:
    assert (await show(timerex, f"{timerex.site}{path}")).status_code == 404


async def test_what_is_no_form_books_nothing(timerex: TimerexCaller) -> None:
    answer = await timerex.sandbox.http.post(timerex.info.booking_url, content=b"\xff\x00{" * 99)

    assert answer.status_code == 422
