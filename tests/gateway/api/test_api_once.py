"""A repeated request creates nothing."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Connection, text

from tests.clock import SettableClock
from tests.gateway.api.given import (
    CALL,
    CALL_BACK,
    RIKU,
    add,
    api_client,
    assert_problem,
    at,
    events_of,
    new_token,
)
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import idempotency

KEY = {"idempotency-key": "6f1c"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts", RIKU),
        ("/bookings", CALL),
        ("/notes", {"text": "Likes tea"}),
        ("/tasks", CALL_BACK),
    ],
)
async def test_a_repeated_create_gets_the_first_answer(
    api: httpx.AsyncClient, ledger: Ledger, path: str, body: dict[str, str]
) -> None:
    if path in {"/notes", "/tasks"}:
        body = {**body, "contact_id": (await add(api))["id"]}
    before = await events_of(ledger)

    first = await api.post(path, json=body, headers=KEY)
    again = await api.post(path, json=dict(reversed(body.items())), headers=KEY)

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    for header in ("etag", "location"):
        assert again.headers[header] == first.headers[header]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(await events_of(ledger)) == len(before) + 1


async def test_the_first_answer_stays_though_the_record_changed_or_is_gone(
    api: httpx.AsyncClient,
) -> None:
    first = await api.post("/contacts", json=RIKU, headers=KEY)
    where = f"/contacts/{first.json()['id']}"
    await api.patch(where, json={"city": "Aoba"}, headers=at(1))
    assert (await api.post("/contacts", json=RIKU, headers=KEY)).content == first.content
    await api.delete(where, headers=at(2))
    assert (await api.post("/contacts", json=RIKU, headers=KEY)).content == first.content


async def test_a_key_with_another_body_is_refused(api: httpx.AsyncClient, ledger: Ledger) -> None:
    await api.post("/contacts", json=RIKU, headers=KEY)

    other = await api.post("/contacts", json={**RIKU, "city": "Aoba"}, headers=KEY)
    elsewhere = await api.post("/bookings", json=CALL, headers=KEY)

    assert_problem(other, 422, "key-reused")
    assert_problem(elsewhere, 422, "key-reused")
    assert len(await events_of(ledger)) == 1


async def test_fifty_at_once_make_one(api: httpx.AsyncClient, ledger: Ledger) -> None:
    made = await asyncio.gather(*(api.post("/bookings", json=CALL, headers=KEY) for _ in range(50)))

    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["id"] for answer in made}) == 1
    assert len(await events_of(ledger)) == 1


async def test_a_refusal_is_not_kept(api: httpx.AsyncClient) -> None:
    refused = await api.post("/contacts", json={"email": "riku"}, headers=KEY)

    made = await api.post("/contacts", json=RIKU, headers=KEY)

    assert (refused.status_code, made.status_code) == (422, 201)


async def test_another_token_s_key_is_another_key(api: httpx.AsyncClient, ledger: Ledger) -> None:
    mine = await api.post("/bookings", json=CALL, headers=KEY)
    async with api_client(ledger, await new_token(ledger)) as other:
        remote = await other.post("/bookings", json=CALL, headers=KEY)

    assert mine.json()["id"] != remote.json()["id"]


async def test_without_a_key_every_request_makes_one(api: httpx.AsyncClient) -> None:
    made = [await api.post("/bookings", json=CALL) for _ in range(2)]

    assert made[0].json()["id"] != made[1].json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
async def test_a_key_that_cannot_be_one_is_refused(
    api: httpx.AsyncClient, ledger: Ledger, key: str
) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]

    answer = await api.post("/contacts", json=RIKU, headers=headers)

    assert_problem(answer, 422, "invalid")
    assert await events_of(ledger) == []


async def test_a_key_is_forgotten_after_a_day_and_not_before(
    api: httpx.AsyncClient, clock: SettableClock
) -> None:
    clock.stop()
    first = await api.post("/bookings", json=CALL, headers=KEY)

    clock.advance(idempotency.KEPT_FOR - timedelta(minutes=1))
    assert (await api.post("/bookings", json=CALL, headers=KEY)).content == first.content
    clock.advance(timedelta(minutes=2))
    assert (await api.post("/bookings", json=CALL, headers=KEY)).json()["id"] != first.json()["id"]


async def test_a_record_whose_answer_cannot_be_kept_is_not_made(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    def rename(tx: Connection, old: str, new: str) -> None:
        tx.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    made = await api.post("/contacts", json={**RIKU, "email": "aoi@hinode.example"})
    await ledger.write(rename, "api_answers", "elsewhere")
    failed = await api.post("/contacts", json=RIKU, headers=KEY)
    await ledger.write(rename, "elsewhere", "api_answers")

    assert failed.status_code == 500
    assert (await api.get("/contacts")).json()["items"] == [made.json()]
    assert len(await events_of(ledger)) == 1
