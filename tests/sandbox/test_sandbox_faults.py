"""Faults of calls on request: before and after the commit, and in the answer."""

import asyncio

import httpx
import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import ManualClock, SkippingClock


async def fault(
    sandbox: SandboxCaller, kind: str, operation: str = "create-contact", **order: object
):
    await sandbox.control("POST", "/ghl/faults", operation=operation, kind=kind, **order)


async def post(sandbox: SandboxCaller) -> httpx.Response:
    body = {"locationId": sandbox.location_id, "firstName": "Riku"}
    return await sandbox.ghl("POST", "/contacts/", body)


async def count(sandbox: SandboxCaller) -> int:
    return len((await sandbox.control("GET", "/ghl/contacts"))["contacts"])


@pytest.mark.parametrize(
    ("kind", "status", "is_done"),
    [
        ("status", 503, False),
        ("status_after_commit", 502, True),
        ("status_after_commit", 422, True),
    ],
)
async def test_a_status_before_or_after_the_deed(
    sandbox: SandboxCaller, kind: str, status: int, *, is_done: bool
) -> None:
    await fault(sandbox, kind, value=status)

    answer = await post(sandbox)

    assert answer.status_code == status
    assert await count(sandbox) == is_done


@pytest.mark.parametrize(
    ("kind", "is_done"), [("drop_before_commit", False), ("drop_after_commit", True)]
)
async def test_a_dropped_connection_before_or_after_the_deed(
    sandbox: SandboxCaller, kind: str, *, is_done: bool
) -> None:
    await fault(sandbox, kind)

    with pytest.raises(httpx.TransportError):
        await post(sandbox)

    assert await count(sandbox) == is_done


@pytest.mark.parametrize(
    ("kind", "is_done_early"), [("delay", False), ("delay_after_commit", True)]
)
async def test_a_delay_before_or_after_the_deed(
    timed: SandboxCaller, clock: ManualClock, kind: str, *, is_done_early: bool
) -> None:
    await fault(timed, kind, value=300)

    posting = asyncio.create_task(post(timed))
    await clock.has_sleeper()
    clock.advance(0.29)
    early, is_answered_early = await count(timed), posting.done()
    clock.advance(0.02)
    answer = await posting

    assert answer.status_code == 201
    assert (early, is_answered_early) == (is_done_early, False)
    assert await count(timed) == 1


async def test_a_page_in_the_place_of_an_answer(sandbox: SandboxCaller) -> None:
    await fault(sandbox, "html")
    await fault(sandbox, "login_redirect", nth=2)

    page, redirect = await post(sandbox), await post(sandbox)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (redirect.status_code, redirect.headers["location"]) == (302, "/login")
    assert await count(sandbox) == 0


async def test_an_answer_that_drips_is_slow_and_whole(
    hurried: SandboxCaller, skipping: SkippingClock
) -> None:
    await fault(hurried, "drip", operation="get-contact", value=1)
    contact = await hurried.create(firstName="Riku")

    read = await hurried.read(contact["id"])

    assert read["firstName"] == "Riku"
    assert len(skipping.slept) > 200
    assert {*skipping.slept} == {0.001}


async def test_headers_of_an_answer_are_changed_and_taken_away(sandbox: SandboxCaller) -> None:
    headers = {"x-ratelimit-remaining": None, "retry-after": "7"}
    await fault(sandbox, "headers", headers=headers)

    struck, plain = await post(sandbox), await post(sandbox)

    assert (struck.status_code, struck.headers["retry-after"]) == (201, "7")
    assert "x-ratelimit-remaining" not in struck.headers
    assert "x-ratelimit-remaining" in plain.headers


async def test_a_stale_answer_was_true_a_while_ago(
    timed: SandboxCaller, clock: ManualClock
) -> None:
    contact = await timed.create(firstName="Riku", city="Osaka")
    clock.advance(0.1)
    await timed.ghl("PUT", f"/contacts/{contact['id']}", {"city": "Nara"})
    await fault(timed, "stale", operation="get-contact", value=50)

    stale, now = await timed.read(contact["id"]), await timed.read(contact["id"])

    assert (stale["city"], now["city"]) == ("Osaka", "Nara")


async def test_from_the_nth_on_every_second_is_struck_so_many_times(sandbox: SandboxCaller) -> None:
    await fault(sandbox, "status", value=500, nth=2, every=2, times=3)

    statuses = [(await post(sandbox)).status_code for _ in range(9)]

    assert statuses == [201, 500, 201, 500, 201, 500, 201, 201, 201]


async def test_a_share_is_struck_alike_for_the_same_seed(sandbox: SandboxCaller) -> None:
    runs: list[list[int]] = []
    for _ in range(2):
        await sandbox.control("DELETE", "/ghl/faults")
        await fault(sandbox, "status", value=500, share=0.4, seed=8)
        runs.append([(await post(sandbox)).status_code for _ in range(15)])

    assert runs[0] == runs[1]
    assert {*runs[0]} == {201, 500}


async def test_a_fault_ends_after_its_time(timed: SandboxCaller, clock: ManualClock) -> None:
    await fault(timed, "status", value=500, for_s=0.2)

    early = (await post(timed)).status_code
    clock.advance(0.2)

    assert (early, (await post(timed)).status_code) == (500, 201)


async def test_an_order_that_lacks_its_value_is_refused(sandbox: SandboxCaller) -> None:
    for kind in ("delay", "drip", "stale", "headers"):
        with pytest.raises(AssertionError, match=f"{kind} needs"):
            await fault(sandbox, kind)
