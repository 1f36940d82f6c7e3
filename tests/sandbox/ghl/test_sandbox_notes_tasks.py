"""Notes and tasks of a contact."""

import pytest

from tests.sandbox.calling import SandboxCaller


async def test_a_note_keeps_its_html_and_shows_its_text(sandbox: SandboxCaller) -> None:
    path = f"/contacts/{(await sandbox.create(firstName='Riku'))['id']}/notes"

    created = await sandbox.ghl("POST", path, {"body": "<p>Booked <b>Tue</b></p><p>A &amp; B</p>"})
    note = created.json()["note"]

    assert created.status_code == 201
    assert note["body"] == "<p>Booked <b>Tue</b></p><p>A &amp; B</p>"
    assert note["bodyText"] == "Booked Tue\nA & B"
    assert note["userId"] is None
    assert "dateUpdated" not in note
    assert (await sandbox.ghl("GET", path)).json()["notes"] == [note]
    assert (await sandbox.ghl("GET", f"{path}/{note['id']}")).json()["note"] == note


async def test_a_note_is_changed_and_deleted(sandbox: SandboxCaller) -> None:
    path = f"/contacts/{(await sandbox.create(firstName='Riku'))['id']}/notes"
    note = (await sandbox.ghl("POST", path, {"body": "a < b"})).json()["note"]

    changed = await sandbox.ghl("PUT", f"{path}/{note['id']}", {"body": "moved", "pinned": True})
    deleted = await sandbox.ghl("DELETE", f"{path}/{note['id']}")
    gone = await sandbox.ghl("GET", f"{path}/{note['id']}")

    assert note["bodyText"] == "a < b"
    assert changed.json()["note"]["bodyText"] == "moved"
    assert deleted.json()["succeded"] is True
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"body": ""}, {"body": "x", "mood": 1}, {"body": "x", "pinned": "no"}]
)
async def test_a_note_the_vendor_does_not_take_is_a_422(
    sandbox: SandboxCaller, body: object
) -> None:
    contact = await sandbox.create(firstName="Riku")

    answer = await sandbox.ghl("POST", f"/contacts/{contact['id']}/notes", body)

    assert answer.status_code == 422


async def test_a_task_lives(sandbox: SandboxCaller) -> None:
    path = f"/contacts/{(await sandbox.create(firstName='Riku'))['id']}/tasks"
    body = {"title": "Call", "dueDate": "2026-07-20T19:00:00+09:00", "completed": False}

    created = await sandbox.ghl("POST", path, body)
    task = created.json()["task"]
    one = f"{path}/{task['id']}"
    changed = await sandbox.ghl("PUT", one, {"title": "Call back"})
    done = await sandbox.ghl("PUT", f"{one}/completed", {"completed": True})

    assert created.status_code == 201
    assert task["dueDate"] == "2026-07-20T10:00:00.000Z"
    assert not task.keys() & {"body", "assignedTo", "dateAdded", "dateUpdated"}
    assert changed.json()["task"] == {**task, "title": "Call back"}
    assert done.json()["task"]["completed"] is True
    assert (await sandbox.ghl("GET", one)).json()["task"] == done.json()["task"]
    assert len((await sandbox.ghl("GET", path)).json()["tasks"]) == 1
    assert (await sandbox.ghl("DELETE", one)).json()["succeeded"] is True
    assert (await sandbox.ghl("GET", one)).status_code == 404


async def test_an_emptied_key_of_a_task_is_omitted(sandbox: SandboxCaller) -> None:
    path = f"/contacts/{(await sandbox.create(firstName='Riku'))['id']}/tasks"
    body = {"title": "Call", "body": "x", "dueDate": "2026-07-20T10:00:00Z", "completed": False}
    task = (await sandbox.ghl("POST", path, body)).json()["task"]

    emptied = await sandbox.ghl(
        "PUT", f"{path}/{task['id']}", {"body": "", "assignedTo": None, "completed": False}
    )

    assert task["body"] == "x"
    assert not emptied.json()["task"].keys() & {"body", "assignedTo"}
    assert emptied.json()["task"]["completed"] is False


@pytest.mark.parametrize("gap", ["title", "dueDate", "completed"])
async def test_a_task_needs_title_date_and_completed(sandbox: SandboxCaller, gap: str) -> None:
    contact = await sandbox.create(firstName="Riku")
    body = {"title": "Call", "dueDate": "2026-07-20T10:00:00Z", "completed": False}
    del body[gap]

    answer = await sandbox.ghl("POST", f"/contacts/{contact['id']}/tasks", body)

    assert answer.json()["message"] == [f"{gap} should not be empty"]
