"""Actions of CRM users only: merge two contacts, restore a deleted one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.receiver import open_receiver
from tests.sandbox.calling import SandboxCaller
from tests.sandbox.ghl.ghl_delivering import ENDPOINT, GhlApp

TASK = {"title": "Call", "dueDate": "2030-01-07T10:00:00Z", "completed": False}
PARTS = {"contact": "", "notes": "/notes", "tasks": "/tasks", "events": "/appointments"}


@pytest.fixture
async def app(sandbox: SandboxCaller) -> AsyncIterator[GhlApp]:
    async with open_receiver() as endpoint:
        keys = await sandbox.control(
            "POST", "/ghl/webhook", url=endpoint.url(ENDPOINT), pause_s=0.02
        )
        yield GhlApp(sandbox, endpoint, keys["public_key"])


async def by_a_person(app: GhlApp, method: str, path: str, **body: object) -> dict[str, Any]:
    return await app.control(method, f"/person{path}", **body)


async def book(app: GhlApp, contact_id: str) -> str:
    calendar = (await app.control("POST", "/calendars", name="Onboarding"))["calendar"]
    order = {
        "calendarId": calendar["id"],
        "locationId": app.sandbox.location_id,
        "contactId": contact_id,
        "startTime": "2030-01-07T10:00:00+09:00",
    }
    return (await by_a_person(app, "POST", "/calendars/events/appointments", **order))["id"]


async def parts_of(sandbox: SandboxCaller, contact_id: str) -> list[Any]:
    """Read a contact, its notes, tasks and appointments; the status where it is refused."""
    found: list[Any] = []
    for name, path in PARTS.items():
        answer = await sandbox.ghl("GET", f"/contacts/{contact_id}{path}")
        found.append(answer.json().get(name, answer.status_code))
    return found


async def deliveries(app: GhlApp, *types: str) -> None:
    """Wait until the last events are these."""
    before = len(await app.deliveries()) - len(types)
    found = await app.wait_for_states(*["delivered"] * (before + len(types)))
    assert [one["type"] for one in found[before:]] == [*types]


async def test_a_merged_contact_is_gone_and_its_parts_are_the_masters(app: GhlApp) -> None:
    loser = (await app.sandbox.create(firstName="Riku", email="riku@hinode.example"))["id"]
    master = (await app.sandbox.create(firstName="Riku S", phone="+81312345678"))["id"]
    note = (await by_a_person(app, "POST", f"/contacts/{loser}/notes", body="Hello"))["note"]
    task = (await by_a_person(app, "POST", f"/contacts/{loser}/tasks", **TASK))["task"]
    appointment_id = await book(app, loser)

    await app.control("POST", f"/contacts/{loser}/merge", into=master)

    _, notes, tasks, events = await parts_of(app.sandbox, master)
    assert await parts_of(app.sandbox, loser) == [400] * 4
    assert notes == [{**note, "contactId": master}]
    assert tasks == [{**task, "contactId": master}]
    assert [(one["id"], one["contactId"]) for one in events] == [(appointment_id, master)]
    assert [one["id"] for one in (await app.sandbox.search())["contacts"]] == [master]
    await deliveries(app, "ContactDelete", "ContactUpdate")
    last = [body["id"] for body in app.endpoint.bodies if body["type"] == "ContactDelete"]
    assert last == [loser]


async def test_a_merge_fills_what_is_empty_and_unites_tags(app: GhlApp) -> None:
    field = (await app.control("POST", "/custom_fields", name="Plan", dataType="TEXT"))[
        "customField"
    ]
    plan = [{"id": field["id"], "field_value": "gold"}]
    email = "riku@hinode.example"
    loser = await app.sandbox.create(
        firstName="R", email=email, city="Osaka", tags=["vip", "old"], customFields=plan
    )
    master = await app.sandbox.create(firstName="Riku", phone="+81312345678", tags=["new", "vip"])

    merged = await app.control("POST", f"/contacts/{loser['id']}/merge", into=master["id"])

    read = await app.sandbox.read(master["id"])
    assert (read["firstName"], read["email"], read["city"]) == ("Riku", email, "Osaka")
    assert read["tags"] == ["new", "vip", "old"]
    assert [one["value"] for one in read["customFields"]] == ["gold"]
    assert read["dateUpdated"] > master["dateUpdated"]
    assert merged["contact"]["id"] == master["id"]


async def test_a_merge_wants_another_contact_that_is_there(app: GhlApp) -> None:
    riku = (await app.sandbox.create(firstName="Riku"))["id"]

    for into in (riku, "gone"):
        with pytest.raises(AssertionError, match=r"itself|unknown id"):
            await app.control("POST", f"/contacts/{riku}/merge", into=into)
    assert (await app.sandbox.read(riku))["firstName"] == "Riku"


@pytest.mark.parametrize("by_api", [True, False])
async def test_a_deleted_contact_comes_back_with_its_parts(app: GhlApp, *, by_api: bool) -> None:
    riku = await app.sandbox.create(firstName="Riku", email="riku@hinode.example", tags=["vip"])
    path = f"/contacts/{riku['id']}"
    await by_a_person(app, "POST", f"{path}/notes", body="Hello")
    await by_a_person(app, "POST", f"{path}/tasks", **TASK)
    await book(app, riku["id"])
    before = await parts_of(app.sandbox, riku["id"])
    await (app.sandbox.ghl("DELETE", path) if by_api else app.control("DELETE", path))
    gone = await parts_of(app.sandbox, riku["id"])

    await app.control("POST", f"{path}/restore")

    after = await parts_of(app.sandbox, riku["id"])
    assert gone == [400] * 4
    assert all(before)
    assert after[1:] == before[1:]
    assert after[0] == {**before[0], "dateUpdated": after[0]["dateUpdated"]}
    assert after[0]["dateUpdated"] > before[0]["dateUpdated"]
    found = await app.sandbox.search()
    assert [one["id"] for one in found["contacts"]] == [riku["id"]]
    await deliveries(app, "ContactDelete", "ContactCreate")


async def test_only_what_was_deleted_comes_back_and_only_once(app: GhlApp) -> None:
    riku, other = [(await app.sandbox.create(firstName=name))["id"] for name in ("Riku", "R")]
    await app.control("POST", f"/contacts/{riku}/merge", into=other)
    await app.control("DELETE", f"/contacts/{other}")
    await app.control("POST", f"/contacts/{other}/restore")

    for its_id in (riku, other, "never"):
        with pytest.raises(AssertionError, match="unknown id"):
            await app.control("POST", f"/contacts/{its_id}/restore")


async def test_people_write_notes_and_tasks_and_set_appointments_and_all_is_reported(
    app: GhlApp,
) -> None:
    riku = (await app.sandbox.create(firstName="Riku"))["id"]
    path = f"/contacts/{riku}"
    note = (await by_a_person(app, "POST", f"{path}/notes", body="Hello"))["note"]["id"]
    await by_a_person(app, "PUT", f"{path}/notes/{note}", body="Bye")
    await by_a_person(app, "DELETE", f"{path}/notes/{note}")
    task = (await by_a_person(app, "POST", f"{path}/tasks", **TASK))["task"]["id"]
    await by_a_person(app, "PUT", f"{path}/tasks/{task}", title="Write")
    for completed in (True, False, True):
        await by_a_person(app, "PUT", f"{path}/tasks/{task}/completed", completed=completed)
    await by_a_person(app, "DELETE", f"{path}/tasks/{task}")
    event = f"/calendars/events/appointments/{await book(app, riku)}"
    await by_a_person(app, "PUT", event, appointmentStatus="cancelled")

    read = (await app.sandbox.ghl("GET", event, version="2021-04-15")).json()["appointment"]
    assert read["appointmentStatus"] == "cancelled"
    await deliveries(
        app,
        *("NoteCreate", "NoteUpdate", "NoteDelete"),
        *("TaskCreate", "TaskComplete", "TaskComplete", "TaskDelete"),  # no other event is known
        *("AppointmentCreate", "AppointmentUpdate"),
    )
