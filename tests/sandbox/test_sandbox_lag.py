"""Search lags writes where the operator says so; reading by id never does."""

import asyncio

from tests.sandbox.calling import Caller

LAG_MS = 150
BY_CHANGE = [{"field": "dateUpdated", "direction": "asc"}]


async def cities(sandbox: Caller) -> list[str | None]:
    return [found["city"] for found in (await sandbox.search(sort=BY_CHANGE))["contacts"]]


async def test_search_sees_a_write_later_and_a_read_at_once(sandbox: Caller) -> None:
    kept = await sandbox.create(firstName="Riku", city="Osaka")
    gone = await sandbox.create(firstName="Yui", city="Kobe")
    await sandbox.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)

    await sandbox.ghl("PUT", f"/contacts/{kept['id']}", {"city": "Nara", "tags": ["new"]})
    await sandbox.ghl("DELETE", f"/contacts/{gone['id']}")
    await sandbox.create(firstName="Ren", city="Kyoto", email="ren@hinode.example")
    before = await cities(sandbox)
    by_id = await sandbox.read(kept["id"])
    duplicate = await sandbox.ghl(
        "GET",
        f"/contacts/search/duplicate?locationId={sandbox.location_id}&email=ren%40hinode.example",
    )
    await asyncio.sleep(1.5 * LAG_MS / 1000)

    assert before == ["Osaka", "Kobe"]
    assert by_id["city"] == "Nara"
    assert duplicate.json()["contact"] is not None
    assert await cities(sandbox) == ["Nara", "Kyoto"]


async def test_a_cursor_never_skips_what_search_saw_late(sandbox: Caller) -> None:
    await sandbox.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)
    first = await sandbox.create(firstName="Riku", city="Osaka")
    await asyncio.sleep(1.5 * LAG_MS / 1000)
    seen = (await sandbox.search(sort=BY_CHANGE))["contacts"][-1]
    await sandbox.ghl("PUT", f"/contacts/{first['id']}", {"city": "Nara"})

    early = await sandbox.search(sort=BY_CHANGE, searchAfter=seen["searchAfter"])
    await asyncio.sleep(1.5 * LAG_MS / 1000)
    late = await sandbox.search(sort=BY_CHANGE, searchAfter=seen["searchAfter"])

    assert early["contacts"] == []
    assert [found["city"] for found in late["contacts"]] == ["Nara"]


async def test_the_task_search_lags_too(sandbox: Caller) -> None:
    contact = await sandbox.create(firstName="Riku")
    await sandbox.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)
    path = f"/locations/{sandbox.location_id}/tasks/search"
    task = {"title": "Call", "dueDate": "2030-01-07T10:00:00Z", "completed": False}

    made = (await sandbox.ghl("POST", f"/contacts/{contact['id']}/tasks", task)).json()["task"]
    early = (await sandbox.ghl("POST", path, {})).json()["tasks"]
    await asyncio.sleep(1.5 * LAG_MS / 1000)
    one = f"/contacts/{contact['id']}/tasks/{made['id']}"
    await sandbox.ghl("PUT", f"{one}/completed", {"completed": True})
    late = (await sandbox.ghl("POST", path, {})).json()["tasks"]

    assert early == []
    assert [(found["_id"], found["completed"]) for found in late] == [(made["id"], False)]


async def test_without_lag_again_search_sees_everything(sandbox: Caller) -> None:
    await sandbox.control("POST", "/ghl/settings", search_lag_ms=60_000)
    await sandbox.create(firstName="Riku", city="Osaka")
    assert await cities(sandbox) == []

    await sandbox.control("POST", "/ghl/settings", search_lag_ms=0)

    assert await cities(sandbox) == ["Osaka"]
