"""The log of calls, for checkers and benchmarks."""

from tests.sandbox.calling import SandboxCaller
from timerex_ghl.sandbox.core.call_log import CallLog, LoggedCall


async def calls(sandbox: SandboxCaller, query: str = "") -> dict[str, object]:
    return await sandbox.control("GET", f"/ghl/calls{query}")


async def test_a_call_is_logged_with_its_status_and_times(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    await sandbox.read(contact["id"])

    log = await sandbox.control("GET", "/ghl/calls")

    made, read = log["calls"]
    assert (made["operation"], made["method"], made["status"]) == ("create-contact", "POST", 201)
    assert made["keys"] == ["firstName", "locationId"]
    assert (read["path"], read["keys"]) == (f"/contacts/{contact['id']}", [])
    assert made["at_ms"] <= read["at_ms"]
    assert 0 < made["cpu_ms"] <= made["took_ms"]
    assert made["fault"] is None


async def test_the_log_is_read_in_pages_and_by_operation(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    for _ in range(3):
        await sandbox.read(contact["id"])

    first = await sandbox.control("GET", "/ghl/calls?limit=3")
    rest = await sandbox.control("GET", f"/ghl/calls?since={first['next']}")
    made = await sandbox.control("GET", "/ghl/calls?operation=create-contact")

    assert (len(first["calls"]), len(rest["calls"]), rest["next"]) == (3, 1, 4)
    assert [one["operation"] for one in made["calls"]] == ["create-contact"]


async def test_calls_are_counted_and_forgotten(sandbox: SandboxCaller) -> None:
    await sandbox.create(firstName="Riku")
    await sandbox.ghl("GET", "/contacts/nobody")
    counted = await sandbox.control("GET", "/ghl/calls/counts")

    await sandbox.control("DELETE", "/ghl/calls")

    assert counted["operations"] == {"create-contact": 1, "get-contact": 1}
    assert sum(counted["statuses"].values()) == counted["calls"] == 2
    assert await calls(sandbox) == {"calls": [], "next": 0, "forgotten": 0}


async def test_a_call_nobody_answered_is_logged_with_its_fault(sandbox: SandboxCaller) -> None:
    order = {"operation": "get-contact", "kind": "html"}
    await sandbox.control("POST", "/ghl/faults", **order)

    await sandbox.ghl("GET", "/contacts/nobody")

    (call,) = (await sandbox.control("GET", "/ghl/calls"))["calls"]
    assert (call["fault"], call["status"]) == ("html", 0)


def test_the_oldest_calls_are_forgotten_and_their_numbers_stay() -> None:
    log = CallLog(kept=3)
    for number in range(5):
        log.add(LoggedCall("get-contact", "GET", f"/contacts/{number}", number, None))

    page = log.page(since=1, limit=2, operation=None)

    assert [call["path"] for call in page["calls"]] == ["/contacts/2", "/contacts/3"]
    assert (page["next"], page["forgotten"]) == (4, 2)
    assert log.page(since=9, limit=2, operation=None)["next"] == 9
