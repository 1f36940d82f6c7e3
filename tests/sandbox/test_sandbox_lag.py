"""Search lags writes if the operator sets it; reading by id never does."""

from datetime import datetime, timedelta

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import ManualClock

LAG_MS = 150
BY_CHANGE = [{"field": "dateUpdated", "direction": "asc"}]


async def cities(sandbox: SandboxCaller) -> list[str | None]:
    return [found["city"] for found in (await sandbox.search(sort=BY_CHANGE))["contacts"]]


async def test_search_sees_a_write_later_and_a_read_at_once(
    timed: SandboxCaller, clock: ManualClock
) -> None:
    kept = await timed.create(firstName="Riku", city="Osaka")
    gone = await timed.create(firstName="Yui", city="Kobe")
    await timed.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)

    await timed.ghl("PUT", f"/contacts/{kept['id']}", {"city": "Nara", "tags": ["new"]})
    await timed.ghl("DELETE", f"/contacts/{gone['id']}")
    await timed.create(firstName="Ren", city="Kyoto", email="ren@hinode.example")
    before = await cities(timed)
    by_id = await timed.read(kept["id"])
    duplicate = await timed.ghl(
        "GET",
        f"/contacts/search/duplicate?locationId={timed.location_id}&email=ren%40hinode.example",
    )
    clock.advance(1.5 * LAG_MS / 1000)

    assert before == ["Osaka", "Kobe"]
    assert by_id["city"] == "Nara"
    assert duplicate.json()["contact"] is not None
    assert await cities(timed) == ["Nara", "Kyoto"]


async def test_the_clock_behind_changes_may_be_wrong(timed: SandboxCaller) -> None:
    made = await timed.create(firstName="Riku", city="Osaka")
    before = datetime.fromisoformat((await timed.read(made["id"]))["dateUpdated"])
    await timed.control("POST", "/ghl/settings", clock_offset_ms=-3_600_000, clock_step_ms=60_000)

    await timed.ghl("PUT", f"/contacts/{made['id']}", {"city": "Nara"})

    after = datetime.fromisoformat((await timed.read(made["id"]))["dateUpdated"])
    assert timedelta(minutes=50) < before - after <= timedelta(minutes=61)
    assert (after.second, after.microsecond) == (0, 0)


async def test_a_cursor_never_skips_what_search_saw_late(
    timed: SandboxCaller, clock: ManualClock
) -> None:
    await timed.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)
    first = await timed.create(firstName="Riku", city="Osaka")
    clock.advance(1.5 * LAG_MS / 1000)
    last_contact = (await timed.search(sort=BY_CHANGE))["contacts"][-1]
    await timed.ghl("PUT", f"/contacts/{first['id']}", {"city": "Nara"})

    early = await timed.search(sort=BY_CHANGE, searchAfter=last_contact["searchAfter"])
    clock.advance(1.5 * LAG_MS / 1000)
    late = await timed.search(sort=BY_CHANGE, searchAfter=last_contact["searchAfter"])

    assert early["contacts"] == []
    assert [found["city"] for found in late["contacts"]] == ["Nara"]


async def test_the_task_search_lags_too(timed: SandboxCaller, clock: ManualClock) -> None:
    contact = await timed.create(firstName="Riku")
    await timed.control("POST", "/ghl/settings", search_lag_ms=LAG_MS)
    path = f"/locations/{timed.location_id}/tasks/search"
    task = {"title": "Call", "dueDate": "2030-01-07T10:00:00Z", "completed": False}

    made = (await timed.ghl("POST", f"/contacts/{contact['id']}/tasks", task)).json()["task"]
    early = (await timed.ghl("POST", path, {})).json()["tasks"]
    clock.advance(1.5 * LAG_MS / 1000)
    one = f"/contacts/{contact['id']}/tasks/{made['id']}"
    await timed.ghl("PUT", f"{one}/completed", {"completed": True})
    late = (await timed.ghl("POST", path, {})).json()["tasks"]

    assert early == []
    assert [(found["_id"], found["completed"]) for found in late] == [(made["id"], False)]


async def test_without_lag_again_search_sees_everything(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/settings", search_lag_ms=60_000)
    await sandbox.create(firstName="Riku", city="Osaka")
    assert await cities(sandbox) == []

    await sandbox.control("POST", "/ghl/settings", search_lag_ms=0)

    assert await cities(sandbox) == ["Osaka"]
