"""Notes over HTTP."""

from typing import Any

import httpx

from tests.gateway.api.given import add, ask_for, assert_problem, at, events_of, write_down
from timerex_ghl.adapters.ledger.db.core import Ledger

MARK = "[n_0123456789abcdef0123]"


async def test_a_note_is_kept_and_waits_to_be_handled(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person = (await add(api))["id"]

    made = await api.post("/notes", json={"contact_id": person, "text": "Likes tea\n"})

    body = made.json()
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.headers["location"] == f"/api/v1/notes/{body['id']}"
    assert body.keys() == {
        "id", "contact_id", "version", "created_at", "updated_at", "text", "task_id",
    }  # fmt: skip
    assert (body["contact_id"], body["text"], body["task_id"]) == (person, "Likes tea", None)
    assert (await api.get(f"/notes/{body['id']}")).json() == body
    assert (await events_of(ledger))[1:] == [
        ("workspace", "note changed", f"note:{body['id']}", '{"version": 1}')
    ]


async def test_a_note_is_changed_and_deleted(api: httpx.AsyncClient, ledger: Ledger) -> None:
    where = f"/notes/{(await write_down(api, (await add(api))['id']))['id']}"

    changed = await api.patch(where, json={"text": "Likes coffee"}, headers=at(1))
    same = await api.patch(where, json={"text": "Likes coffee "}, headers=at(2))
    deleted = await api.delete(where, headers=at(2))

    assert (changed.json()["text"], changed.headers["etag"]) == ("Likes coffee", '"2"')
    assert same.json() == changed.json()
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert_problem(await api.get(where), 404, "not-found")
    assert_problem(await api.delete(where, headers=at(3)), 404, "not-found")
    assert [event[3] for event in (await events_of(ledger))[1:]] == [
        f'{{"version": {n}}}' for n in (1, 2, 3)
    ]


async def test_the_notes_of_somebody_deleted_are_not_found(api: httpx.AsyncClient) -> None:
    person = (await add(api))["id"]
    where = f"/notes/{(await write_down(api, person))['id']}"
    await api.delete(f"/contacts/{person}", headers=at(1))

    assert_problem(await api.get(where), 404, "not-found")
    assert_problem(await api.patch(where, json={"text": "x"}, headers=at(1)), 404, "not-found")
    assert (await api.get("/notes")).json()["items"] == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"text": None}, "text"),
    ({"text": " \n"}, "text"),
    ({"text": "x" * 10_001}, "text"),
    ({"text": 5}, "text"),
    ({"text": f"Called {MARK}"}, "text"),
    ({"task_id": "t_1"}, "task_id"),
    ({"task_id": "t 1"}, "task_id"),
    ({"contact_id": "c_1"}, "contact_id"),
    ({"contact_id": None}, "contact_id"),
    ({"version": 1}, "version"),
    ({"kind": "task"}, "kind"),
]


async def test_a_note_that_cannot_be_taken_is_refused_by_field(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person = (await add(api))["id"]
    for changes, field in BAD:
        sent = {"contact_id": person, "text": "Likes tea", **changes}
        problem = assert_problem(await api.post("/notes", json=sent), 422, "invalid")
        assert [error["field"] for error in problem["errors"]] == [field], changes
    empty = assert_problem(await api.post("/notes", json={"contact_id": person}), 422, "invalid")
    assert empty["errors"] == [{"field": "text", "message": "is missing"}]
    assert len(await events_of(ledger)) == 1


async def test_a_note_s_person_is_resolved_once(api: httpx.AsyncClient) -> None:
    person = (await add(api))["id"]
    where = f"/notes/{(await write_down(api, person))['id']}"

    answer = await api.patch(where, json={"contact_id": person}, headers=at(1))

    assert_problem(answer, 422, "invalid")


async def test_a_note_belongs_to_a_task_until_the_task_is_gone(api: httpx.AsyncClient) -> None:
    person = (await add(api))["id"]
    task = (await ask_for(api, person))["id"]
    note = await write_down(api, person, task_id=task)
    assert note["task_id"] == task

    assert (await api.delete(f"/tasks/{task}", headers=at(1))).status_code == 204

    assert (await api.get(f"/notes/{note['id']}")).json() == {**note, "task_id": None}
    assert (await api.get("/notes")).json()["items"] == [{**note, "task_id": None}]


async def test_an_unknown_version_or_none_is_refused(api: httpx.AsyncClient) -> None:
    where = f"/notes/{(await write_down(api, (await add(api))['id']))['id']}"

    assert_problem(await api.patch(where, json={"text": "x"}), 428, "no-version")
    assert_problem(await api.delete(where), 428, "no-version")
    stale = await api.patch(where, json={"text": "x"}, headers=at(2))
    assert assert_problem(stale, 412, "stale")["version"] == 1
    assert_problem(await api.delete(where, headers=at(2)), 412, "stale")


async def test_notes_are_chosen_by_person_task_and_time(api: httpx.AsyncClient) -> None:
    riku, aoi = [(await add(api, email=f"{who}@hinode.example"))["id"] for who in ("riku", "aoi")]
    task = (await ask_for(api, aoi))["id"]
    one = await write_down(api, riku)
    other = await write_down(api, aoi, task_id=task)

    for query, ids in (
        ({"contact_id": riku}, {one["id"]}),
        ({"task_id": task}, {other["id"]}),
        ({"contact_id": riku, "task_id": task}, set[str]()),
        ({"task_id": "t_1"}, set[str]()),
        ({"updated_since": one["updated_at"]}, {one["id"], other["id"]}),
        ({"updated_since": "2100-01-01T00:00:00Z"}, set[str]()),
    ):
        found = (await api.get("/notes", params=query)).json()["items"]
        assert {one["id"] for one in found} == ids, query
