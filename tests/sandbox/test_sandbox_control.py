"""Control of the GHL half: edits of CRM users, faults, the list of calls."""

import asyncio

import httpx
import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import ManualClock, SkippingClock


async def test_the_control_api_wants_its_token(sandbox: SandboxCaller) -> None:
    answer = await sandbox.http.get(f"{sandbox.info.control.base_url}/ghl/calls")

    assert answer.status_code == 401


async def test_a_misspelt_order_is_refused(sandbox: SandboxCaller) -> None:
    with pytest.raises(AssertionError, match="windwo_ms"):
        await sandbox.control("POST", "/ghl/limits", windwo_ms=1)
    with pytest.raises(AssertionError, match="not a valid HTTPStatus"):
        await sandbox.control("POST", "/ghl/faults", operation="*", kind="status", value=7)


async def test_a_persons_edit_moves_date_updated_and_uses_no_limit(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(firstName="Riku", tags=["vip"])
    path = f"/ghl/contacts/{created['id']}"

    edited = await sandbox.control("PATCH", path, lastName="Sato", tags=["Lead"], type="customer")
    contact = await sandbox.read(created["id"])

    assert contact["lastName"] == "Sato"
    assert (contact["tags"], contact["type"]) == (["lead"], "customer")
    assert contact["dateUpdated"] > created["dateUpdated"]
    assert edited["contact"]["notes"] == []
    await sandbox.control("DELETE", path)
    assert (await sandbox.control("GET", "/ghl/contacts"))["contacts"] == []


async def test_a_checker_sees_contacts_whole(sandbox: SandboxCaller) -> None:
    made = await sandbox.control("POST", "/ghl/contacts", firstName="Riku", companyName="Hinode")
    contact_id = made["contact"]["id"]
    await sandbox.control("POST", f"/ghl/contacts/{contact_id}/notes", body="By hand")

    whole = (await sandbox.control("GET", "/ghl/contacts"))["contacts"][0]

    assert whole["companyName"] == "Hinode"
    assert whole["notes"][0]["userId"] == sandbox.info.ghl.user_id
    assert whole["createdBy"]["source"] == "WEB_USER"


async def test_invented_people_are_alike_for_the_same_seed(sandbox: SandboxCaller) -> None:
    for seed in (1, 2):
        await sandbox.control("POST", "/ghl/bulk", count=40, seed=seed)

    contacts = (await sandbox.control("GET", "/ghl/contacts"))["contacts"]

    assert len({contact["email"] for contact in contacts}) == 80
    assert len({contact["phone"] for contact in contacts}) == 80
    assert all(contact["email"].endswith(".example") for contact in contacts)
    assert contacts[0]["phone"] == "+819011000000"


async def test_calls_are_listed_without_anything_personal(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(firstName="Riku", email="riku@hinode.example")
    await sandbox.ghl("PUT", f"/contacts/{created['id']}", {"city": "Osaka"})
    await sandbox.ghl("GET", "/mood")

    calls = (await sandbox.control("GET", "/ghl/calls"))["calls"]

    assert [call["operation"] for call in calls] == ["create-contact", "update-contact", "unknown"]
    assert [call["status"] for call in calls] == [201, 200, 404]
    assert calls[1]["path"] == f"/contacts/{created['id']}"
    assert calls[1]["keys"] == ["city"]
    assert "riku" not in str(calls).lower()
    await sandbox.control("DELETE", "/ghl/calls")
    assert (await sandbox.control("GET", "/ghl/calls"))["calls"] == []


async def test_the_nth_call_answers_with_a_status_once(sandbox: SandboxCaller) -> None:
    fault = {"operation": "get-contact", "nth": 2, "kind": "status", "value": 503}
    created = await sandbox.create(firstName="Riku")
    await sandbox.control("POST", "/ghl/faults", **fault)

    path = f"/contacts/{created['id']}"
    statuses = [(await sandbox.ghl("GET", path)).status_code for _ in range(3)]
    calls = (await sandbox.control("GET", "/ghl/calls"))["calls"]

    assert statuses == [200, 503, 200]
    assert [call["fault"] for call in calls] == [None, None, "status", None]


async def test_a_dropped_call_has_been_done(sandbox: SandboxCaller) -> None:
    await sandbox.control(
        "POST", "/ghl/faults", operation="create-contact", kind="drop_after_commit"
    )

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await sandbox.create(firstName="Riku")

    assert (await sandbox.search())["total"] == 1


async def test_a_dropped_call_leaves_other_connections_alone(
    timed: SandboxCaller, clock: ManualClock
) -> None:
    created = await timed.create(firstName="Riku")
    await timed.control("POST", "/ghl/faults", operation="get-contact", kind="delay", value=200)
    await timed.control("POST", "/ghl/faults", operation="create-contact", kind="drop_after_commit")

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(timed.read(created["id"]))
        await clock.has_sleeper()
        with pytest.raises(httpx.RemoteProtocolError):
            await timed.create(firstName="Yui")
        clock.advance(0.2)

    assert reading.result()["id"] == created["id"]


async def test_a_cut_answer_is_noticed(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/faults", operation="*", kind="truncate")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await sandbox.create(firstName="Riku")

    assert (await sandbox.search())["total"] == 1


async def test_a_delayed_call_answers_late(hurried: SandboxCaller, skipping: SkippingClock) -> None:
    await hurried.control("POST", "/ghl/faults", operation="*", kind="delay", value=200)

    await hurried.create(firstName="Riku")

    assert skipping.slept == [0.2]


async def test_faults_can_be_forgotten(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/faults", operation="*", kind="status", value=500)
    await sandbox.control("DELETE", "/ghl/faults")

    await sandbox.create(firstName="Riku")
