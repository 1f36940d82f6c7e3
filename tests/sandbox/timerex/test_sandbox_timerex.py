"""The TimeRex half: bookings, their webhooks, retries, and the REST read of an event."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.receiver import Receiver, open_receiver
from tests.sandbox.calling import SandboxCaller

RIKU = {"guest_name": "Sato Riku", "guest_email": "riku@hinode.example"}
START = "2026-02-10T10:00:00+09:00"


@pytest.fixture
async def endpoint(sandbox: SandboxCaller) -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        url = receiver.url("/webhooks/timerex/x")
        await sandbox.control("POST", "/timerex/webhook", url=url, retry_pause_s=0.02)
        yield receiver


async def wait_for_deliveries(sandbox: SandboxCaller, count: int) -> list[dict[str, Any]]:
    """Wait until so many deliveries have ended."""
    async with asyncio.timeout(60):
        while True:
            found = (await sandbox.control("GET", "/timerex/deliveries"))["deliveries"]
            if len(found) == count and all(one["state"] != "waiting" for one in found):
                return found
            await asyncio.sleep(0.01)


async def test_a_booking_is_delivered_as_documented(
    sandbox: SandboxCaller, endpoint: Receiver
) -> None:
    answer = {"field_type": "checkboxes", "label": "興味", "value": ["A", "C"]}
    made = await sandbox.control(
        "POST",
        "/timerex/bookings",
        **RIKU,
        guest_company="Hinode Foods",
        starts_at=START,
        duration_min=45,
        answers=[answer],
        url_params={"utm_source": "news", "ghl_contact": "x"},
    )
    (delivery,) = await wait_for_deliveries(sandbox, 1)
    (body,) = endpoint.bodies
    event = body["event"]

    assert body["webhook_type"] == "event_confirmed"
    assert event["id"] == delivery["event_id"] == made["event_id"]
    assert event["calendar_id"] == sandbox.info.timerex.calendar_id
    assert event["start_datetime"] == "2026-02-10T01:00:00+00:00"
    assert event["local_end_datetime"] == "2026-02-10T10:45:00+09:00"
    assert [item["field_type"] for item in event["form"]] == [
        "company_name",
        "guest_name",
        "guest_email",
        "guest_comment",
        "checkboxes",
    ]
    assert event["form"][0]["value"] == "Hinode Foods"
    assert event["url_params"] == [{"utm_source": "news"}, {"ghl_contact": "x"}]
    assert event["is_changed"] is False
    assert (event["old_event_id"], event["new_event_id"]) == (None, None)
    assert endpoint.heads[0].startswith("POST /webhooks/timerex/x ")
    info = sandbox.info.timerex
    assert f"{info.webhook_header}: {info.webhook_token}" in endpoint.heads[0]
    assert "user-agent: timerex api v" in endpoint.heads[0].lower()


async def test_a_cancel_says_when_and_why(sandbox: SandboxCaller, endpoint: Receiver) -> None:
    made = await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    await wait_for_deliveries(sandbox, 1)

    await sandbox.control(
        "POST", f"/timerex/bookings/{made['event_id']}/cancel", reason="Another day"
    )
    await wait_for_deliveries(sandbox, 2)
    cancelled = endpoint.bodies[1]

    assert cancelled["webhook_type"] == "event_cancelled"
    assert cancelled["event"]["cancellation_reason"] == "Another day"
    assert cancelled["event"]["canceled_at"].endswith("+00:00")
    assert not cancelled["event"].keys() & {"new_event_id", "guest_cancel_url", "url_params"}
    assert cancelled["event"]["new_evnet_id"] is None


async def test_a_reschedule_is_two_deliveries_that_name_each_other(
    sandbox: SandboxCaller, endpoint: Receiver
) -> None:
    old = (await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START))["event_id"]
    await wait_for_deliveries(sandbox, 1)

    moved = await sandbox.control(
        "POST",
        f"/timerex/bookings/{old}/reschedule",
        starts_at="2026-02-11T01:00:00Z",
        cancelled_first=False,
    )
    await wait_for_deliveries(sandbox, 3)
    events = {body["webhook_type"]: body["event"] for body in endpoint.bodies[1:]}

    confirmed, cancelled = events["event_confirmed"], events["event_cancelled"]
    assert (confirmed["id"], confirmed["old_event_id"]) == (moved["event_id"], old)
    assert (cancelled["id"], cancelled["new_evnet_id"]) == (old, moved["event_id"])
    assert confirmed["is_changed"] is True
    assert cancelled["is_changed"] is True
    assert confirmed["start_datetime"] == "2026-02-11T01:00:00+00:00"


@pytest.mark.parametrize(
    ("statuses", "tries", "state"),
    [
        ([500, 404], 3, "delivered"),
        ([302], 2, "delivered"),
        ([500, 500, 500, 200], 3, "failed"),
    ],
)
async def test_a_refused_delivery_is_tried_three_times(
    sandbox: SandboxCaller, endpoint: Receiver, statuses: list[int], tries: int, state: str
) -> None:
    endpoint.statuses = statuses

    await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    (delivery,) = await wait_for_deliveries(sandbox, 1)

    assert (delivery["state"], len(delivery["tries"])) == (state, tries)
    assert len(set(endpoint.raw)) == 1


async def test_a_endpoint_that_is_shut_fails_all_tries(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/timerex/webhook", url="http://127.0.0.1:9/", retry_pause_s=0.01)

    await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    (delivery,) = await wait_for_deliveries(sandbox, 1)

    assert [one["error"] for one in delivery["tries"]] == ["ConnectError"] * 3


async def test_a_endpoint_that_does_not_answer_in_time_fails_the_try(
    sandbox: SandboxCaller,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        await sandbox.control(
            "POST", "/timerex/webhook", url=url, retry_pause_s=0.01, timeout_s=0.05
        )
        await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
        (delivery,) = await wait_for_deliveries(sandbox, 1)

    assert [one["error"] for one in delivery["tries"]] == ["TimeoutError"] * 3


async def test_a_delivery_can_be_repeated_byte_for_byte(
    sandbox: SandboxCaller, endpoint: Receiver
) -> None:
    await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    (delivery,) = await wait_for_deliveries(sandbox, 1)

    await sandbox.control("POST", f"/timerex/deliveries/{delivery['id']}/repeat")
    await wait_for_deliveries(sandbox, 1)

    assert len(endpoint.raw) == 2
    assert endpoint.raw[0] == endpoint.raw[1]


async def test_header_and_token_can_be_changed(sandbox: SandboxCaller, endpoint: Receiver) -> None:
    await sandbox.control("POST", "/timerex/webhook", header="Authorization", token="t" * 32)

    await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    await wait_for_deliveries(sandbox, 1)

    assert f"authorization: {'t' * 32}" in endpoint.heads[0]


async def test_without_a_url_nothing_is_delivered(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)

    assert [one["state"] for one in await wait_for_deliveries(sandbox, 1)] == ["no url"]


async def test_an_event_is_read_with_the_api_key(sandbox: SandboxCaller) -> None:
    made = await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at=START)
    url = f"{sandbox.info.timerex.base_url}/events/{made['event_id']}"
    headers = {"x-api-key": sandbox.info.timerex.api_key}

    confirmed = (await sandbox.http.get(url, headers=headers)).json()
    await sandbox.control("POST", f"/timerex/bookings/{made['event_id']}/cancel")
    cancelled = (await sandbox.http.get(url, headers=headers)).json()

    assert (confirmed["status"], cancelled["status"]) == ("confirmed", "cancelled")
    assert (await sandbox.http.get(url)).status_code == 401
    assert (await sandbox.http.get(f"{url}x", headers=headers)).status_code == 404


async def test_a_booking_needs_a_time_with_its_offset(sandbox: SandboxCaller) -> None:
    with pytest.raises(AssertionError, match="timezone"):
        await sandbox.control("POST", "/timerex/bookings", **RIKU, starts_at="2026-02-10T10:00:00")
