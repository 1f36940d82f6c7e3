"""Contacts over HTTP: added, read, changed with their version, deleted."""

import asyncio

import httpx
import pytest

from tests.gateway.api.given import RIKU, add, assert_problem, at, events_of
from timerex_ghl.adapters.ledger.db.core import Ledger

EVENT = ("workspace", "contact changed")


async def test_an_added_contact_reads_back_and_waits_to_be_handled(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    made = await api.post("/contacts", json={**RIKU, "phone": "090-1234-5678", "tags": ["VIP"]})

    body = made.json()
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert made.headers["location"] == f"/api/v1/contacts/{body['id']}"
    assert {**RIKU, "phone": "090-1234-5678", "tags": ["vip"], "version": 1}.items() <= body.items()
    read = await api.get(f"/contacts/{body['id']}")
    assert (read.json(), read.headers["etag"]) == (body, '"1"')
    assert (await api.get("/contacts")).json() == {"items": [body], "next_cursor": None}
    record = f"contact:{body['id']}"
    assert await events_of(ledger) == [(*EVENT, record, '{"version": 1}')]


async def test_a_change_touches_only_what_is_sent(api: httpx.AsyncClient, ledger: Ledger) -> None:
    made = await add(api, city="Aoba", company="Hinode", tags=["old", "vip"])

    changed = await api.patch(
        f"/contacts/{made['id']}",
        json={"city": None, "website": "", "tags_added": ["New"], "tags_removed": ["old"]},
        headers=at(1),
    )

    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    body = changed.json()
    kept = {"first_name": "陸", "email": "Riku@hinode.example", "company": "Hinode"}
    assert {**kept, "city": None, "website": None, "version": 2}.items() <= body.items()
    assert body["tags"] == ["new", "vip"]
    assert body["created_at"] == made["created_at"]
    assert [event[3] for event in await events_of(ledger)] == ['{"version": 1}', '{"version": 2}']


async def test_a_change_of_nothing_makes_no_version(api: httpx.AsyncClient, ledger: Ledger) -> None:
    made = await add(api)

    same = await api.patch(f"/contacts/{made['id']}", json=RIKU, headers=at(1))

    assert (same.json(), same.headers["etag"]) == (made, '"1"')
    assert len(await events_of(ledger)) == 1


async def test_a_change_without_a_version_is_refused(api: httpx.AsyncClient) -> None:
    made = await add(api)
    where = f"/contacts/{made['id']}"

    assert_problem(await api.patch(where, json={"city": "Aoba"}), 428, "no-version")
    assert_problem(await api.delete(where), 428, "no-version")


@pytest.mark.parametrize("tags", ['"2"', 'W/"1"', '"0"', '"01"', '"2", "3"', '"one"', '""'])
async def test_a_change_for_another_version_is_refused_and_reported_which_it_is(
    api: httpx.AsyncClient, tags: str
) -> None:
    made = await add(api)
    where = f"/contacts/{made['id']}"

    for answer in (
        await api.patch(where, json={"city": "Aoba"}, headers={"if-match": tags}),
        await api.delete(where, headers={"if-match": tags}),
    ):
        assert assert_problem(answer, 412, "stale")["version"] == 1
    assert (await api.get(where)).json() == made


@pytest.mark.parametrize("tags", ["1", '"1', "", '"1" "2"', '"\xe9"', "*, *"])
async def test_what_is_no_entity_tag_is_refused(api: httpx.AsyncClient, tags: str) -> None:
    made = await add(api)
    headers = [(b"if-match", tags.encode("latin-1"))]

    answer = await api.patch(f"/contacts/{made['id']}", json={"city": "Aoba"}, headers=headers)

    assert_problem(answer, 400, "bad-version")


@pytest.mark.parametrize("tags", ["*", '"1"', '"7", "1"', 'W/"1","1"'])
async def test_one_of_several_versions_or_any_will_do(api: httpx.AsyncClient, tags: str) -> None:
    made = await add(api)

    answer = await api.patch(
        f"/contacts/{made['id']}", json={"city": "Aoba"}, headers={"if-match": tags}
    )

    assert answer.json()["version"] == 2


async def test_of_twenty_who_change_one_version_one_does(api: httpx.AsyncClient) -> None:
    made = await add(api)

    answers = await asyncio.gather(
        *(
            api.patch(f"/contacts/{made['id']}", json={"city": f"City {n}"}, headers=at(1))
            for n in range(20)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 19]
    assert (await api.get(f"/contacts/{made['id']}")).json()["version"] == 2


async def test_a_deleted_contact_is_gone(api: httpx.AsyncClient, ledger: Ledger) -> None:
    made = await add(api)
    where = f"/contacts/{made['id']}"

    deleted = await api.delete(where, headers=at(1))

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert_problem(await api.get(where), 404, "not-found")
    assert_problem(await api.delete(where, headers=at(2)), 404, "not-found")
    assert_problem(await api.patch(where, json={}, headers=at(2)), 404, "not-found")
    assert (await api.get("/contacts")).json()["items"] == []
    assert len(await events_of(ledger)) == 1  # it is not synced
    assert (await add(api))["id"] != made["id"]


async def test_somebody_known_is_named_and_not_added(api: httpx.AsyncClient) -> None:
    made = await add(api, phone="090-1234-5678")
    other = await add(api, email="aoi@hinode.example")

    again = await api.post("/contacts", json={"first_name": "X", "phone": "+819012345678"})
    taken = await api.patch(
        f"/contacts/{other['id']}", json={"email": "riku@hinode.example"}, headers=at(1)
    )

    for answer in (again, taken):
        assert assert_problem(answer, 409, "known-person")["contact_ids"] == [made["id"]]
        assert "hinode" not in answer.text


async def test_every_field_that_cannot_be_taken_is_named_and_its_value_is_not(
    api: httpx.AsyncClient,
) -> None:
    bad = {"email": "canary", "phone": "canary", "status": "canary", "custom": {"x": "canary"}}

    answer = await api.post("/contacts", json=bad)

    problem = assert_problem(answer, 422, "invalid")
    assert [error["field"] for error in problem["errors"]] == [
        "email", "phone", "status", "custom.x",
    ]  # fmt: skip
    assert "canary" not in answer.text


BODIES: list[tuple[object, str]] = [
    ({"emial": "a@b.example"}, "emial"),
    ({"first_name": 5}, "first_name"),
    ({"first_name": ["a"]}, "first_name"),
    ({"tags": "vip"}, "tags"),
    ({"tags": [1]}, "tags.0"),
    ({"custom": []}, "custom"),
    ({"custom": {"x": {"y": "canary"}}}, "custom.x.str"),
    ({"id": "c_1"}, "id"),
    ({"version": 1}, "version"),
    ({"city": "Aoba"}, "email"),
    ({}, "email"),
    ([], "body"),
    ("canary", "body"),
]


async def test_a_body_of_another_shape_is_refused_by_field(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    for body, field in BODIES:
        answer = await api.post("/contacts", json=body)

        problem = assert_problem(answer, 422, "invalid")
        assert field in [error["field"] for error in problem["errors"]]
        assert "canary" not in answer.text
    assert await events_of(ledger) == []


async def test_people_are_found_by_any_spelling_of_their_keys(api: httpx.AsyncClient) -> None:
    made = await add(api, phone="090-1234-5678")
    await add(api, email="aoi@hinode.example")

    for query in (
        {"email": "riku@HINODE.example"},
        {"phone": "+819012345678"},
        {"phone": "０９０ー１２３４ー５６７８"},
        {"email": "riku@hinode.example", "phone": "090 1234 5678"},
    ):
        found = (await api.get("/contacts", params=query)).json()
        assert [one["id"] for one in found["items"]] == [made["id"]], query
    for query in ({"email": "nobody"}, {"phone": "12"}, {"email": "x@y.example"}):
        assert (await api.get("/contacts", params=query)).json()["items"] == []


async def test_those_changed_since_a_time_are_listed(api: httpx.AsyncClient) -> None:
    made = await add(api)
    since = {"updated_since": made["updated_at"]}
    later = {"updated_since": "2199-01-01T00:00:00Z"}

    assert len((await api.get("/contacts", params=since)).json()["items"]) == 1
    assert (await api.get("/contacts", params=later)).json()["items"] == []
