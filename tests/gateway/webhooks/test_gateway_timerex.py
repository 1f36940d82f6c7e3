import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator

import httpx
import pytest
from sqlalchemy import Connection, select

from tests.adapters.timerex.deliveries import CANCELLED, CONFIRMED, body_of
from tests.gateway.given import (
    ENDPOINT,
    NAME,
    PATIENT,
    TOKEN,
    client_of,
    locked,
    publish,
    settings_with,
)
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent, InboxState
from timerex_ghl.domain.shared.models import EventId

PATH = f"/webhooks/timerex/{ENDPOINT}"
IMPATIENT = PATIENT._replace(ledger_deadline_s=0.2)
JSON = {"content-type": "application/json"}
HEADERS = JSON | {"x-timerex-authorization": TOKEN}


async def post(http: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await http.post(PATH, content=body, headers=HEADERS | headers)


async def states_of(ledger: Ledger) -> dict[str, int]:
    return await ledger.read(lambda tx: Counter(tx.scalars(select(inbox.events.c.state))))


async def event_of(ledger: Ledger, response: httpx.Response) -> InboxEvent:
    answer = response.json()
    event = await ledger.read(inbox.read_event, EventId(answer.get("event") or answer["error"]))
    assert event is not None
    return event


def assert_refused(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert re.fullmatch(r'{"error":"[0-9a-f]{16}"}', response.text)


async def test_a_delivery_is_stored_as_it_came_and_answered(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    body = json.dumps(CONFIRMED, ensure_ascii=False, indent=2).encode()

    response = await post(http, body)

    assert response.status_code == 200
    event = await event_of(ledger, response)
    assert response.json() == {"stored": True, "event": event.id}
    assert event.body.encode() == body
    assert (event.connection, event.source, event.type) == (NAME, "timerex", "event_confirmed")
    assert event.state is InboxState.WAITING


async def test_fifty_copies_at_once_are_one_event(http: httpx.AsyncClient, ledger: Ledger) -> None:
    responses = await asyncio.gather(*(post(http, body_of(CONFIRMED)) for _ in range(50)))

    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["event"] for response in responses}) == 1
    assert await states_of(ledger) == {InboxState.WAITING: 1}


async def test_confirm_and_cancel_of_one_booking_are_two_events(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    await post(http, body_of(CONFIRMED))
    await post(http, body_of(CANCELLED))

    assert await states_of(ledger) == {InboxState.WAITING: 2}


async def test_a_type_nobody_documented_is_kept_and_ignored(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    response = await post(http, b'{"webhook_type": "event_reminded", "event": {"id": "e1"}}')

    assert response.status_code == 200
    assert (await event_of(ledger, response)).type == "event_reminded"
    assert await states_of(ledger) == {InboxState.IGNORED: 1}


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + " x"])
async def test_another_token_is_refused_and_leaves_nothing(
    http: httpx.AsyncClient, ledger: Ledger, token: str
) -> None:
    assert_refused(await post(http, body_of(CONFIRMED), **{"x-timerex-authorization": token}), 401)
    assert await states_of(ledger) == {}


async def test_no_token_is_refused(http: httpx.AsyncClient) -> None:
    assert_refused(await http.post(PATH, content=body_of(CONFIRMED), headers=JSON), 401)


async def test_a_token_that_is_no_text_is_refused(http: httpx.AsyncClient) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-timerex-authorization", b"\xff\xfe")]

    assert_refused(await http.post(PATH, content=body_of(CONFIRMED), headers=headers), 401)


async def test_a_repeated_token_is_refused(http: httpx.AsyncClient) -> None:
    headers = [*HEADERS.items(), ("X-TimeRex-Authorization", TOKEN)]

    assert_refused(await http.post(PATH, content=body_of(CONFIRMED), headers=headers), 401)


async def test_both_tokens_open_during_a_rotation_and_the_old_one_not_after(
    ledger: Ledger,
) -> None:
    http = client_of(ledger, PATIENT._replace(published_kept_s=0))
    next_token = {"x-timerex-authorization": "next" * 8}

    await publish(ledger, settings_with(TOKEN, "next" * 8))
    assert (await post(http, body_of(CONFIRMED))).status_code == 200
    assert (await post(http, body_of(CONFIRMED), **next_token)).status_code == 200

    await publish(ledger, settings_with("next" * 8))
    assert_refused(await post(http, body_of(CONFIRMED)), 401)
    assert (await post(http, body_of(CONFIRMED), **next_token)).status_code == 200


async def test_an_unknown_endpoint_says_nothing_about_the_others(http: httpx.AsyncClient) -> None:
    for path in ("/webhooks/timerex/other", "/webhooks/timerex/", f"{PATH}/", "/", "/docs"):
        assert_refused(await http.post(path, content=b"{}", headers=HEADERS), 404)


async def test_a_endpoint_only_takes_posts(http: httpx.AsyncClient) -> None:
    assert_refused(await http.get(PATH, headers=HEADERS), 405)


async def test_an_oversized_body_is_refused_before_it_is_read_to_its_end(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 64 * 1024
            yield b" " * 64 * 1024

    assert_refused(await http.post(PATH, content=endless(), headers=HEADERS), 413)
    assert sent <= 6 * 64 * 1024
    assert await states_of(ledger) == {}


async def test_a_body_of_256_kb_is_still_taken(http: httpx.AsyncClient) -> None:
    body = body_of(CONFIRMED)

    response = await post(http, body + b" " * (256 * 1024 - len(body)))

    assert response.status_code == 200


async def test_a_body_that_trickles_is_refused(ledger: Ledger) -> None:
    http = client_of(ledger, PATIENT._replace(body_deadline_s=0.05))

    async def trickle() -> AsyncGenerator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b" "

    assert_refused(await http.post(PATH, content=trickle(), headers=HEADERS), 408)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "gzip"},
        {"content-encoding": "identity"},
        {"content-type": "text/plain"},
        {"content-type": "application/json-seq"},
        {"content-type": ""},
    ],
    ids=str,
)
async def test_what_is_not_plain_json_is_refused(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert_refused(await post(http, body_of(CONFIRMED), **headers), 415)


async def test_a_charset_does_no_harm(http: httpx.AsyncClient) -> None:
    charset = {"content-type": "Application/JSON; charset=utf-8"}

    assert (await post(http, body_of(CONFIRMED), **charset)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\x00",
        b'{"webhook_type": NaN}',
        b"[" * 10_000,
        b'{"id": ' + b"1" * 5_000 + b"}",
        b'{"webhook_type": "event_confirmed", "event": {"id": "\\ud800"}}',
        b'{"webhook_type": "event_confirmed", "event": {"id": "1"}}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_a_malformed_delivery_is_refused_and_kept_in_quarantine(
    http: httpx.AsyncClient, ledger: Ledger, body: bytes
) -> None:
    responses = [await post(http, body) for _ in range(3)]

    assert {response.status_code for response in responses} == {400}
    event = await event_of(ledger, responses[0])
    assert responses[2].json() == {"error": event.id}
    assert (event.type, event.state) == ("malformed", InboxState.QUARANTINED)
    assert event.error is not None
    assert event.error.startswith("delivery refused: ")
    assert await states_of(ledger) == {InboxState.QUARANTINED: 1}


async def test_a_locked_ledger_asks_the_sender_to_come_again(
    http: httpx.AsyncClient, ledger: Ledger, ledger_url: str
) -> None:
    async with locked(ledger_url):
        response = await post(client_of(ledger, IMPATIENT), body_of(CONFIRMED))

    assert_refused(response, 429)
    assert response.headers["retry-after"] == "10"
    assert (await post(http, body_of(CONFIRMED))).status_code == 200
    assert await states_of(ledger) == {InboxState.WAITING: 1}


async def test_a_unit_of_work_that_fails_asks_the_sender_to_come_again(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    def drop_inbox(tx: Connection) -> None:
        tx.exec_driver_sql("ALTER TABLE inbox RENAME TO elsewhere")

    await ledger.write(drop_inbox)

    assert_refused(await post(http, body_of(CONFIRMED)), 429)


async def test_neither_endpoint_nor_token_nor_guest_reaches_the_log(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await post(http, body_of(CONFIRMED))
    await post(http, body_of(CONFIRMED), **{"x-timerex-authorization": "canary-wrong"})
    refused = await post(http, body_of(CONFIRMED), **{"content-type": "text/plain"})

    logged = "\n".join(record.getMessage() for record in local(caplog))
    assert refused.json()["error"] in logged
    for canary in (ENDPOINT, "canary", "riku", "Sato"):
        assert canary not in logged


def local(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if not record.name.startswith("httpx")]
