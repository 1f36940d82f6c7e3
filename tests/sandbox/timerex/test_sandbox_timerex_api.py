"""TimeRex's REST API: shapes, paging, access, limits and faults."""

from typing import Any

import httpx
import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.timerex.timerex_calling import RIKU, TimerexCaller


@pytest.fixture
def timerex(sandbox: SandboxCaller) -> TimerexCaller:
    return TimerexCaller(sandbox)


async def test_an_event_has_the_webhooks_fields_a_status_in_words_and_an_older_shape_inside(
    timerex: TimerexCaller,
) -> None:
    event_id = await timerex.book(url_params={"utm_source": "news"})

    event = await timerex.get(f"/events/{event_id}")

    assert event["status"] == "confirmed"
    assert event["calendar_id"] == timerex.info.calendar_id
    assert event["url"] == timerex.info.booking_url
    assert event["url_params"] == [{"utm_source": "news"}]
    assert event["event"]["id"] == event_id
    assert event["event"]["timezone"] == event["calendar_timezone"] == "Asia/Tokyo"
    assert not event.keys() & {"calendar_name", "webhook_type"}


async def test_a_cancel_sends_its_webhook_and_works_once(timerex: TimerexCaller) -> None:
    event_id = await timerex.book()

    first = await timerex.api("POST", f"/events/{event_id}/cancel")
    second = await timerex.api("POST", f"/events/{event_id}/cancel")

    deliveries = (await timerex.control("GET", "/deliveries"))["deliveries"]
    assert (first.status_code, second.status_code) == (200, 400)
    assert [one["type"] for one in deliveries] == ["event_confirmed", "event_cancelled"]
    assert (await timerex.get(f"/events/{event_id}"))["status"] == "cancelled"


async def test_lists_come_in_pages_whose_tokens_never_repeat(timerex: TimerexCaller) -> None:
    ids = [await timerex.book(starts_at=f"2026-02-10T{hour:02}:00:00Z") for hour in range(23)]
    path = f"/calendars/{timerex.info.calendar_id}/events"

    first, again = await timerex.get(path), await timerex.get(path)
    second = await timerex.get(path, nextPageToken=first["nextPageToken"])
    third = await timerex.get(path, nextPageToken=second["nextPageToken"])

    found = [*first["items"], *second["items"], *third["items"]]
    assert [row["id"] for row in found] == ids
    assert found[0].keys() == {"id", "status", "start_datetime", "end_datetime"}
    assert first["nextPageToken"] != again["nextPageToken"]
    assert "nextPageToken" not in third


async def test_a_list_is_cut_to_a_time_and_may_leave_out_what_was_cancelled(
    timerex: TimerexCaller,
) -> None:
    path = f"/calendars/{timerex.info.calendar_id}/events"
    window = {"startTime": "2026-02-10 00:00:00", "endTime": "2026-02-11 00:00:00"}
    event_id = await timerex.book()
    await timerex.book(starts_at="2026-02-12T00:00:00Z")
    await timerex.control("POST", f"/bookings/{event_id}/cancel")

    shown = await timerex.get(path, **window)
    await timerex.control("POST", "/settings", lists_cancelled=False)
    hidden = await timerex.get(path, **window)

    assert [(row["id"], row["status"]) for row in shown["items"]] == [(event_id, "cancelled")]
    assert hidden["items"] == []


async def test_a_calendar_may_be_added_and_booked(timerex: TimerexCaller) -> None:
    question = {"field_type": "radio", "label": "規模", "options": ["1", "2"], "required": True}
    made = await timerex.control("POST", "/calendars", name="Room", questions=[question])
    calendar_id = made["calendar_id"]
    event_id = await timerex.book(calendar_id=calendar_id)

    calendar = await timerex.get(f"/calendars/{calendar_id}")

    assert (calendar["name"], calendar["url"]) == ("Room", made["url"])
    assert (await timerex.get(f"/events/{event_id}"))["calendar_id"] == calendar_id
    assert [*made["question_ids"]] == ["規模"]


async def test_a_one_time_url_works_once_and_reports_who_watches(timerex: TimerexCaller) -> None:
    path = f"/calendars/{timerex.info.calendar_id}/one-time-url"
    made = (await timerex.api("POST", path)).json()
    watch = {"token": "t1", "notification_url": "https://aoba.example/pushed"}
    watched = await timerex.api("POST", f"/calendars/one-time-url/{made['id']}/watch", json=watch)
    booked = await timerex.control("POST", f"/one_time_urls/{made['id']}/book", **RIKU)
    with pytest.raises(AssertionError, match="has been used"):
        await timerex.control("POST", f"/one_time_urls/{made['id']}/book", **RIKU)

    after = await timerex.get(f"/calendars/one-time-url/{made['id']}")

    deliveries = (await timerex.control("GET", "/deliveries"))["deliveries"]
    pushed = [one["id"] for one in deliveries if one["type"] == "one_time_url"]
    body = (await timerex.control("GET", f"/deliveries/{pushed[0]}"))["body"]
    assert (made["status"], made["event"], watched.status_code) == ("pending", None, 201)
    assert (after["status"], after["event"]["id"]) == ("confirmed", booked["event_id"])
    assert "timezone" in after["event"]
    assert "calendar_timezone" not in after["event"]
    assert '"token":"t1"' in body
    assert made["id"] in body


async def test_a_key_sees_its_own_team_only(timerex: TimerexCaller) -> None:
    token = timerex.info.access_token
    teams = (await timerex.api("GET", "/user/me/teams", token=token)).json()["items"]
    mine = await timerex.api("GET", "/user/me/teams/primary", token=token)
    calendars = await timerex.api("GET", "/teams/primary/calendars", token=token)
    own = await timerex.get("/user/me/teams/primary")
    foreign = mine.json()["id"]

    assert {team["id"] for team in teams} == {own["id"], foreign}
    assert (own["is_primary"], mine.json()["is_primary"]) == (False, True)
    assert [one["name"] for one in calendars.json()["items"]] == ["Coffee 30"]
    assert (await timerex.api("GET", f"/teams/{foreign}")).status_code == 403
    assert (await timerex.api("GET", f"/teams/{foreign}/calendars")).status_code == 403
    assert (await timerex.api("GET", f"/teams/{own['id']}")).json() == own
    assert (await timerex.api("GET", "/user/me")).status_code == 400


@pytest.mark.parametrize(("redirects", "status"), [(False, 401), (True, 302)])
async def test_a_bad_key_is_a_401_or_a_login_page(
    timerex: TimerexCaller, *, redirects: bool, status: int
) -> None:
    await timerex.control("POST", "/settings", login_redirect=redirects)

    answer = await timerex.api("GET", "/user/me/teams", key="k" * 64, follow_redirects=False)

    assert answer.status_code == status
    assert ("html" in answer.headers["content-type"]) is redirects
    if redirects:
        assert answer.headers["location"] == f"{timerex.site}/login"


async def test_a_scope_that_was_not_given_is_a_403(timerex: TimerexCaller) -> None:
    minted = await timerex.control("POST", "/tokens", scopes=["profile"])
    token = minted["access_token"]

    assert (await timerex.api("GET", "/user/me", token=token)).status_code == 200
    assert (await timerex.api("GET", "/user/me/teams", token=token)).status_code == 403


async def test_the_limits_of_a_minute_and_an_hour_stand_apart_and_can_be_set(
    timerex: TimerexCaller,
) -> None:
    await timerex.control("POST", "/limits", minute=2, hour=1, minute_ms=60_000)
    event_id = await timerex.book()
    reads = [await timerex.api("GET", "/user/me/teams") for _ in range(3)]
    cancels = [await timerex.api("POST", f"/events/{event_id}/cancel") for _ in range(2)]
    by_oauth = await timerex.api("GET", "/user/me/teams", token=timerex.info.access_token)
    await timerex.control("POST", "/limits", enabled=False)
    after = await timerex.api("GET", "/user/me/teams")

    assert [one.status_code for one in reads] == [200, 200, 429]
    assert [one.status_code for one in cancels] == [200, 429]
    assert "retry-after" not in reads[2].headers
    assert (by_oauth.status_code, after.status_code) == (200, 200)


async def test_the_documented_limit_is_sixty_a_minute(timerex: TimerexCaller) -> None:
    statuses = [(await timerex.api("GET", "/user/me/teams")).status_code for _ in range(61)]

    assert statuses == [200] * 60 + [429]


async def test_calls_are_logged_with_their_faults_and_without_values(
    timerex: TimerexCaller,
) -> None:
    fault = {"operation": "get-user-teams", "kind": "status", "value": 503, "nth": 2}
    await timerex.control("POST", "/faults", **fault)
    statuses = [(await timerex.api("GET", "/user/me/teams")).status_code for _ in range(3)]

    calls = (await timerex.control("GET", "/calls"))["calls"]
    await timerex.control("DELETE", "/calls")

    assert statuses == [200, 503, 200]
    assert [(call["operation"], call["status"], call["fault"]) for call in calls] == [
        ("get-user-teams", 200, None),
        ("get-user-teams", 503, "status"),
        ("get-user-teams", 200, None),
    ]
    assert (await timerex.control("GET", "/calls"))["calls"] == []


async def test_an_answer_can_be_lost_after_the_cancel_was_done(timerex: TimerexCaller) -> None:
    event_id = await timerex.book()
    await timerex.control("POST", "/faults", operation="cancel-event", kind="drop_after_commit")

    with pytest.raises(httpx.RemoteProtocolError):
        await timerex.api("POST", f"/events/{event_id}/cancel")

    assert (await timerex.get(f"/events/{event_id}"))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/", {}, 404),
        ("DELETE", "/events/x", {}, 404),
        ("GET", "/events/x", {}, 404),
        ("GET", "/events/%00%ff", {}, 404),
        ("POST", "/events/x/cancel", {}, 404),
        ("POST", "/calendars/x/one-time-url", {}, 404),
        ("GET", "/calendars/one-time-url/x", {}, 404),
        ("GET", "/calendars/{calendar}/events", {"params": {"startTime": "2026-02-10"}}, 400),
        ("GET", "/calendars/{calendar}/events", {"params": {"endTime": "0000-00-00 0:0:0"}}, 400),
        ("GET", "/calendars/{calendar}/events", {"params": {"nextPageToken": "x"}}, 400),
        ("GET", "/user/me/teams", {"params": {"nextPageToken": "日本"}}, 400),
        ("POST", "/calendars/one-time-url/{one_time}/watch", {"content": b"{"}, 400),
        ("POST", "/calendars/one-time-url/{one_time}/watch", {"content": b"[" * 5000}, 400),
        ("POST", "/calendars/one-time-url/{one_time}/watch", {"json": {"token": 1}}, 400),
        ("POST", "/calendars/one-time-url/{one_time}/watch",
         {"json": {"token": "t", "notification_url": "ftp://x"}}, 400),
    ],
)  # fmt: skip
async def test_nonsense_is_refused_in_json(
    timerex: TimerexCaller, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    calendar_id = timerex.info.calendar_id
    made = (await timerex.api("POST", f"/calendars/{calendar_id}/one-time-url")).json()
    path = path.replace("{calendar}", calendar_id).replace("{one_time}", made["id"])

    answer = await timerex.api(method, path, **options)

    assert answer.status_code == status
    assert answer.json()["message"]
