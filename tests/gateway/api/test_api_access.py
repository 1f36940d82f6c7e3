"""Who may use the API, and how much of a request is read."""

import logging
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest
from sqlalchemy import Connection, text

from tests.gateway.api.given import (
    CALL,
    CALL_BACK,
    RIKU,
    add,
    api_client,
    ask_for,
    assert_problem,
    at,
    book,
    events_of,
    new_token,
    write_down,
)
from tests.gateway.given import NAME, PATIENT, locked, publish, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import api_tokens
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName

HINODE = ConnectionName("hinode")


async def reach_all(client: httpx.AsyncClient, records: dict[str, str]) -> list[httpx.Response]:
    """Request every route that has a record id."""
    asked = [
        (method, f"/{kind}/{id_}")
        for kind, id_ in records.items()
        for method in ("GET", "PATCH", "DELETE")
    ]
    acts = [("POST", f"/tasks/{records['tasks']}/{act}") for act in ("complete", "reopen")]
    return [
        await client.request(method, path, json={}, headers=at(1)) for method, path in asked + acts
    ]


async def one_of_each(api: httpx.AsyncClient) -> dict[str, str]:
    person = (await add(api))["id"]
    return {
        "contacts": person,
        "bookings": (await book(api))["id"],
        "notes": (await write_down(api, person))["id"],
        "tasks": (await ask_for(api, person))["id"],
    }


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer tgk_wrong", "Bearer \u00e9", "tgk_wrong"],
)
async def test_without_a_good_token_nothing_is_reported(
    ledger: Ledger, authorization: str | None
) -> None:
    headers = [] if authorization is None else [(b"authorization", authorization.encode("latin-1"))]
    async with api_client(ledger, None) as client:
        for method, path in (("GET", "/contacts"), ("POST", "/contacts"), ("GET", "/bookings/b1")):
            answer = await client.request(method, path, content=b"{", headers=headers)
            assert_problem(answer, 401, "no-token")
            assert answer.headers["www-authenticate"].startswith('Bearer realm="timerex-ghl"')


async def test_a_token_sent_twice_is_refused(ledger: Ledger) -> None:
    token = f"Bearer {await new_token(ledger)}"
    async with api_client(ledger, None) as client:
        headers = [("authorization", token), ("Authorization", token)]
        assert_problem(await client.get("/contacts", headers=headers), 401, "no-token")


async def test_a_revoked_token_ends_at_once(ledger: Ledger) -> None:
    token = await new_token(ledger)
    async with api_client(ledger, token) as client:
        assert (await client.get("/contacts")).status_code == 200
        (known,) = await ledger.read(api_tokens.list_tokens)
        await ledger.write(api_tokens.revoke_token, known.id, by="test", now=datetime.now(UTC))

        answer = await client.get("/contacts")

    assert_problem(answer, 401, "no-token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_token_that_may_read_changes_nothing(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    records = await one_of_each(api)
    before = await events_of(ledger)
    async with api_client(ledger, await new_token(ledger, may_write=False)) as reader:
        answers = [
            *await reach_all(reader, records),
            *[await reader.post(f"/{kind}", json=RIKU) for kind in records],
        ]

    reads = [answer for answer in answers if answer.request.method == "GET"]
    assert [answer.status_code for answer in reads] == [200] * len(records)
    for answer in (one for one in answers if one not in reads):
        assert_problem(answer, 403, "read-only")
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert await events_of(ledger) == before


async def test_a_token_reaches_no_other_connection(api: httpx.AsyncClient, ledger: Ledger) -> None:
    records = await one_of_each(api)
    person = {"contact_id": records["contacts"]}
    remote = settings_with(endpoint="0" * 20).model_copy(update={"name": HINODE})
    await publish(ledger, remote)
    async with api_client(ledger, await new_token(ledger, connection=HINODE)) as other:
        for answer in await reach_all(other, records):
            assert_problem(answer, 404, "not-found")
        for kind in records:
            assert (await other.get(f"/{kind}")).json()["items"] == []
        for path in ("/bookings", "/notes", "/tasks"):
            assert (await other.get(path, params=person)).json()["items"] == []
        mine = {"task_id": records["tasks"]}
        assert (await other.get("/notes", params=mine)).json()["items"] == []
        assert (await other.get("/contacts", params={"email": RIKU["email"]})).json()["items"] == []
        for path, sent in (("/bookings", CALL), ("/notes", {"text": "x"}), ("/tasks", CALL_BACK)):
            assert_problem(await other.post(path, json={**sent, **person}), 422, "invalid")
        aoi = {"contact_id": (await add(other))["id"]}  # the same person, another workspace
        assert aoi != person
        note = await other.post("/notes", json={"text": "x", **mine, **aoi})
        assert_problem(note, 422, "invalid")
    for kind, id_ in records.items():
        assert (await api.get(f"/{kind}/{id_}")).headers["etag"] == '"1"'


async def test_a_connection_nobody_published_has_no_api(ledger: Ledger) -> None:
    async with api_client(ledger, await new_token(ledger, connection=HINODE)) as client:
        assert_problem(await client.get("/contacts"), 403, "not-published")


async def test_use_is_recorded(api: httpx.AsyncClient, ledger: Ledger) -> None:
    assert (await ledger.read(api_tokens.list_tokens, NAME))[0].used_at is None

    await api.get("/contacts")

    (token,) = await ledger.write(api_tokens.list_tokens, NAME)  # queued after the write of the use
    assert token.used_at is not None


async def test_a_reader_does_not_wait_for_the_note_of_its_use(
    api: httpx.AsyncClient, ledger: Ledger, ledger_url: str
) -> None:
    async with locked(ledger_url):
        answers = [await api.get("/contacts") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    (token,) = await ledger.write(api_tokens.list_tokens, NAME)
    assert token.used_at is not None


BODIES: list[tuple[bytes, dict[str, str], int]] = [
    (b"{}", {"content-type": "text/plain"}, 415),
    (b"{}", {"content-type": "application/merge-patch+json"}, 415),
    (b"{}", {"content-encoding": "gzip"}, 415),
    (b"", {}, 400),
    (b"{", {}, 400),
    (b'{"city": "a", "city": "b"}', {}, 400),
    (b'{"city": NaN}', {}, 400),
    (b'{"city": "\\ud800"}', {}, 400),
    (b'{"city": "\\u0000"}', {}, 400),
    (b"[" * 100_000, {}, 400),
    (b'{"a":' * 100 + b"1" + b"}" * 100, {}, 400),
    (b"\xff", {}, 400),
    (b" " * (256 * 1024 + 1), {}, 413),
]


async def test_a_body_that_is_not_plain_json_is_refused(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    paths = (
        ("POST", "/contacts"), ("POST", "/bookings"), ("PATCH", "/contacts/c_1"),
        ("POST", "/notes"), ("PATCH", "/tasks/t_1"),
    )  # fmt: skip
    for content, headers, status in BODIES:
        for method, path in paths:
            sent = {"content-type": "application/json", **headers}
            answer = await api.request(method, path, content=content, headers=sent)
            assert_problem(answer, status, "")
    assert await events_of(ledger) == []


async def test_nothing_of_a_body_is_read_before_the_token_is_known(ledger: Ledger) -> None:
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 1024

    async with api_client(ledger, "tgk_wrong") as client:
        headers = {"content-type": "application/json"}
        answer = await client.post("/contacts", content=endless(), headers=headers)

    assert_problem(answer, 401, "no-token")
    assert read <= 1


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/contacts/", "/contacts/a/b", "/docs"])
async def test_an_address_that_is_none_is_a_problem_too(api: httpx.AsyncClient, path: str) -> None:
    assert_problem(await api.get(path), 404, "")


async def test_a_method_that_is_none_is_a_problem_too(api: httpx.AsyncClient) -> None:
    assert_problem(await api.put("/contacts"), 405, "")


async def test_an_id_that_cannot_be_one_is_not_found(api: httpx.AsyncClient) -> None:
    for record_id in ("%00", "a%00b", "%E9%99%B8", "a%20b", "x" * 129):
        kinds = ("contacts", "bookings", "notes", "tasks")
        for answer in await reach_all(api, dict.fromkeys(kinds, record_id)):
            assert_problem(answer, 404, "not-found")


class UnavailableLedger:
    """A ledger that does not answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def read(self, *_: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [(RetryableError("canary"), 503, "unavailable"), (ZeroDivisionError("canary"), 500, "")],
)
async def test_without_the_ledger_the_caller_is_asked_to_retry(
    error: Exception, status: int, kind: str
) -> None:
    async with api_client(cast("Ledger", UnavailableLedger(error)), "tgk_1") as client:
        answer = await client.get("/contacts")

    assert_problem(answer, status, kind)
    assert "canary" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_ledger_that_hangs_is_given_up(ledger: Ledger, ledger_url: str) -> None:
    limits = PATIENT._replace(api_ledger_deadline_s=0.2)
    async with (
        api_client(ledger, await new_token(ledger), limits) as api,
        locked(ledger_url),
    ):
        assert_problem(await api.post("/contacts", json=RIKU), 503, "unavailable")


async def test_a_unit_of_work_that_fails_is_a_problem_without_its_cause(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    def drop(tx: Connection) -> None:
        tx.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))

    def restore(tx: Connection) -> None:
        tx.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))

    await ledger.write(drop)
    answer = await api.post("/contacts", json=RIKU)
    await ledger.write(restore)

    assert_problem(answer, 500, "")
    assert "inbox" not in answer.text
    assert (await api.get("/contacts")).json()["items"] == []


async def test_neither_token_nor_person_reaches_the_log(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await new_token(ledger)
    async with api_client(ledger, token) as client:
        made = await add(client, city="canary")
        refused = await client.post("/contacts", json={**RIKU, "city": "canary"})
        await client.post("/contacts", json={"email": "canary"})
        await client.patch(f"/contacts/{made['id']}", json={"city": "canary2"}, headers=at(9))

    logged = "\n".join(one.getMessage() for one in caplog.records if "httpx" not in one.name)
    assert refused.json()["instance"].rpartition(":")[2] in logged
    for canary in (token, "canary", "hinode", "陸"):
        assert canary not in logged
