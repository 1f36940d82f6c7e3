"""Tasks over HTTP."""

from typing import Any

import httpx

from tests.gateway.api.given import CALL_BACK, add, ask_for, assert_problem, at, events_of
from timerex_ghl.adapters.ledger.db.core import Ledger


async def test_a_task_is_kept_and_waits_to_be_handled(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person = (await add(api))["id"]
    sent = {**CALL_BACK, "contact_id": person, "assignee": "Kana@Aoba.example"}

    made = await api.post("/tasks", json=sent)

    body = made.json()
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.headers["location"] == f"/api/v1/tasks/{body['id']}"
    assert {name: body[name] for name in body if not name.endswith(("ed_at", "id"))} == {
        "version": 1, "title": "Call back", "body": "", "due_at": "2026-02-10T01:00:00Z",
        "status": "open", "completed": False, "assignee": "kana@aoba.example",
    }  # fmt: skip
    assert (await api.get(f"/tasks/{body['id']}")).json() == body
    assert (await events_of(ledger))[1:] == [
        ("workspace", "task changed", f"task:{body['id']}", '{"version": 1}')
    ]


async def test_a_task_is_begun_completed_reopened_and_deleted(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    where = f"/tasks/{(await ask_for(api, (await add(api))['id']))['id']}"

    answers = [
        await api.patch(where, json={"status": "in-progress"}, headers=at(1)),
        await api.post(f"{where}/complete", headers=at(2)),
        await api.post(f"{where}/complete", headers=at(3)),
        await api.post(f"{where}/reopen", headers=at(3)),
        await api.patch(where, json={"completed": True}, headers=at(4)),
    ]
    deleted = await api.delete(where, headers=at(5))

    assert [(one.json()["status"], one.headers["etag"]) for one in answers] == [
        ("in-progress", '"2"'),
        ("completed", '"3"'),
        ("completed", '"3"'),
        ("open", '"4"'),
        ("completed", '"5"'),
    ]
    for one in answers:
        assert one.json()["completed"] == (one.json()["status"] == "completed")
    assert deleted.status_code == 204
    assert_problem(await api.get(where), 404, "not-found")
    assert [event[3] for event in (await events_of(ledger))[1:]] == [
        f'{{"version": {n}}}' for n in range(1, 7)
    ]


async def test_completing_and_reopening_name_a_version_like_every_change(
    api: httpx.AsyncClient,
) -> None:
    where = f"/tasks/{(await ask_for(api, (await add(api))['id']))['id']}"

    for act in ("complete", "reopen"):
        assert_problem(await api.post(f"{where}/{act}"), 428, "no-version")
        assert_problem(await api.post(f"{where}/{act}", headers=at(9)), 412, "stale")
        assert_problem(await api.post(f"/tasks/t_1/{act}", headers=at(1)), 404, "not-found")
        any_version = await api.post(f"{where}/{act}", headers={"if-match": "*"})
        assert any_version.status_code == 200


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"title": None}, ["title"]),
    ({"title": " "}, ["title"]),
    ({"title": "two\nlines"}, ["title"]),
    ({"due_at": None}, ["due_at"]),
    ({"due_at": "tomorrow"}, ["due_at"]),
    ({"due_at": "2026-02-10T10:00:00"}, ["due_at"]),
    ({"due_at": None, "title": None}, ["title", "due_at"]),
    ({"body": "x\n[t_0123456789abcdef0123]"}, ["body"]),
    ({"completed": None}, ["completed"]),
    ({"completed": "true"}, ["completed"]),
    ({"status": "done"}, ["status"]),
    ({"status": "open", "completed": True}, ["status"]),
    ({"assignee": "kana"}, ["assignee"]),
    ({"contact_id": "c_1"}, ["contact_id"]),
    ({"task_id": "t_1"}, ["task_id"]),
    ({"stage": "in-progress"}, ["stage"]),
]


async def test_a_task_that_cannot_be_taken_is_refused_by_field(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person = (await add(api))["id"]
    for changes, fields in BAD:
        sent = {**CALL_BACK, "contact_id": person, **changes}
        problem = assert_problem(await api.post("/tasks", json=sent), 422, "invalid")
        assert [error["field"] for error in problem["errors"]] == fields, changes
    assert len(await events_of(ledger)) == 1


async def test_a_task_is_emptied_but_of_what_the_crm_demands(api: httpx.AsyncClient) -> None:
    made = await ask_for(
        api, (await add(api))["id"], body="about tea", assignee="kana@aoba.example"
    )
    where = f"/tasks/{made['id']}"

    emptied = await api.patch(where, json={"body": None, "assignee": None}, headers=at(1))

    assert (emptied.json()["body"], emptied.json()["assignee"]) == ("", None)
    for field in ("title", "due_at"):
        answer = await api.patch(where, json={field: None}, headers=at(2))
        (error,) = assert_problem(answer, 422, "invalid")["errors"]
        assert error == {"field": field, "message": "cannot be empty"}


async def test_tasks_are_chosen_by_person_state_and_time(api: httpx.AsyncClient) -> None:
    riku, aoi = [(await add(api, email=f"{who}@hinode.example"))["id"] for who in ("riku", "aoi")]
    done = (await ask_for(api, riku, completed=True))["id"]
    begun = (await ask_for(api, aoi, status="in-progress"))["id"]

    for query, ids in (
        ({}, {done, begun}),
        ({"contact_id": riku}, {done}),
        ({"completed": "true"}, {done}),
        ({"completed": "false"}, {begun}),
        ({"contact_id": riku, "completed": "false"}, set[str]()),
        ({"updated_since": "2100-01-01T00:00:00Z"}, set[str]()),
    ):
        found = (await api.get("/tasks", params=query)).json()["items"]
        assert {one["id"] for one in found} == ids, query
    assert_problem(await api.get("/tasks?completed=maybe"), 422, "invalid")
    assert_problem(await api.get("/tasks?task_id=t_1"), 422, "invalid")
