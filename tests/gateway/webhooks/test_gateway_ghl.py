"""GHL's webhook endpoint: which senders are accepted, for which location, and what is stored."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from tests.clock import SettableClock
from tests.gateway.given import (
    NAME,
    PATIENT,
    TOKEN,
    client_of,
    locked,
    publish,
    settings_with,
)
from tests.gateway.webhooks.ghl_sender import (
    KEY,
    OLDER_PUBLIC,
    PUBLIC,
    SANDBOX_KEY,
    SANDBOX_PUBLIC,
    STRANGER,
    post,
    post_with,
    signed,
    signed_as_before,
    stored,
    update,
)
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox, retention
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.domain.shared.models import ConnectionName, EventId

WAITING = (NAME, "ContactUpdate", "waiting", None)
BODY = update()
RIGHT = signed(BODY)


@pytest.fixture(autouse=True)
async def _published(ledger: Ledger) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,), app_id="app1"))


async def test_a_delivery_is_stored_as_it_came_and_answered(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    body = update(appId="app1", firstName="陸") + b" \n"

    response = await post(http, body)

    event = await ledger.read(inbox.read_event, EventId(response.json()["event"]))
    assert response.json() == {"stored": True, "event": event.id if event else ""}
    assert event is not None
    assert event.body.encode() == body
    assert (str(event.record), event.dedupe_key) == ("ghl:con1", "webhook:w1")
    assert await stored(ledger) == [WAITING]


FORGED: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "no header": (BODY, []),
    "only RSA": (BODY, [("x-wh-signature", signed_as_before(BODY))]),
    "N/A": (BODY, [("x-ghl-signature", "N/A")]),
    "N/A beside RSA": (
        BODY,
        [("x-ghl-signature", "N/A"), ("x-wh-signature", signed_as_before(BODY))],
    ),
    "empty": (BODY, [("x-ghl-signature", "")]),
    "no base64": (BODY, [("x-ghl-signature", RIGHT[:-2] + "*=")]),
    "cut short": (BODY, [("x-ghl-signature", RIGHT[:40])]),
    "wrong key": (BODY, [("x-ghl-signature", signed(BODY, STRANGER))]),
    "wrong header": (BODY, [("x-wh-signature", RIGHT)]),
    "RSA in the present header": (BODY, [("x-ghl-signature", signed_as_before(BODY))]),
    "a changed byte": (BODY.replace(b"con1", b"con2"), [("x-ghl-signature", RIGHT)]),
    "a space more": (BODY + b" ", [("x-ghl-signature", RIGHT)]),
    "written anew": (
        json.dumps(json.loads(BODY), separators=(",", ":")).encode(),
        [("x-ghl-signature", RIGHT)],
    ),
    "a repeated header": (BODY, [("x-ghl-signature", RIGHT), ("X-GHL-Signature", RIGHT)]),
}


@pytest.mark.parametrize(("body", "proof"), FORGED.values(), ids=FORGED.keys())
async def test_a_delivery_that_ghl_did_not_sign_is_refused_and_leaves_nothing(
    http: httpx.AsyncClient, ledger: Ledger, body: bytes, proof: list[tuple[str, str]]
) -> None:
    response = await post_with(http, body, proof)

    assert response.status_code == 401
    assert response.json().keys() == {"error"}
    assert await stored(ledger) == []


async def test_the_retired_signature_counts_where_it_is_switched_on_and_alone(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,), older_webhook_keys=(OLDER_PUBLIC,)))
    older = {"x-wh-signature": signed_as_before(BODY)}

    assert (await post_with(http, BODY, older | {"x-ghl-signature": "N/A"})).status_code == 401
    assert (await post_with(http, BODY + b" ", older)).status_code == 401
    assert await stored(ledger) == []
    assert (await post_with(http, BODY, older)).status_code == 200
    assert await stored(ledger) == [WAITING]


async def test_two_keys_are_valid_while_one_is_changed(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC, SANDBOX_PUBLIC)))

    for key in (KEY, SANDBOX_KEY):
        assert (await post(http, BODY, key)).status_code == 200
    assert (await post(http, BODY, STRANGER)).status_code == 401
    assert await stored(ledger) == [WAITING]


async def test_a_sandboxs_key_does_not_speak_for_another_location(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    sandbox = ConnectionName("sandbox")
    await publish(
        ledger,
        settings_with(
            TOKEN, name=sandbox, endpoint="another", location="loc2", keys=(SANDBOX_PUBLIC,)
        ),
    )

    assert (await post(http, BODY, SANDBOX_KEY)).status_code == 401
    assert (await post(http, update(locationId="loc2"), KEY)).status_code == 401
    assert await stored(ledger) == []
    assert (await post(http, update(locationId="loc2"), SANDBOX_KEY)).status_code == 200
    assert await stored(ledger) == [(sandbox, "ContactUpdate", "waiting", None)]


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (
            update(locationId="elsewhere"),
            ("", "ContactUpdate", "ignored", "of a location that is not connected"),
        ),
        (
            update(locationId=None),
            ("", "ContactUpdate", "ignored", "of a location that is not connected"),
        ),
        (update(appId="another"), (NAME, "ContactUpdate", "ignored", "of another app")),
        (update(type="InvoiceCreate"), (NAME, "InvoiceCreate", "ignored", None)),
        (update(type="NobodyKnows"), (NAME, "NobodyKnows", "ignored", None)),
    ],
    ids=["location", "no location", "app", "type of later", "type unheard of"],
)
async def test_what_is_not_for_us_is_kept_and_ignored(
    http: httpx.AsyncClient, ledger: Ledger, body: bytes, row: tuple[str, str, str, str | None]
) -> None:
    assert (await post(http, body)).status_code == 200
    assert await stored(ledger) == [row]


async def test_fifty_copies_at_once_are_one_event(http: httpx.AsyncClient, ledger: Ledger) -> None:
    copies = [update(age=timedelta(seconds=number % 3)) for number in range(50)]

    responses = await asyncio.gather(*(post(http, body) for body in copies))

    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["event"] for response in responses}) == 1
    assert await stored(ledger) == [WAITING]


async def test_without_a_webhook_id_the_same_bytes_are_one_event(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    first, other = update(webhookId=None), update(webhookId=None, id="con2")

    for body in (first, other, first):
        assert (await post(http, body)).status_code == 200
    assert await stored(ledger) == [WAITING, WAITING]


@pytest.mark.parametrize(
    "age",
    [timedelta(minutes=4), timedelta(minutes=11), timedelta(minutes=70), timedelta(days=3)],
    ids=str,
)
async def test_age_alone_refuses_nothing(
    http: httpx.AsyncClient, ledger: Ledger, age: timedelta
) -> None:
    assert (await post(http, update(age=age))).status_code == 200
    assert await stored(ledger) == [WAITING]


@pytest.mark.parametrize(
    ("age", "note"),
    [
        (timedelta(days=36), "it is more than 35 days old"),
        (timedelta(minutes=-6), "its time is more than 5 minutes ahead"),
    ],
    ids=["36 days old", "6 minutes ahead"],
)
async def test_an_impossible_time_is_kept_in_quarantine_with_its_reason(
    http: httpx.AsyncClient, ledger: Ledger, age: timedelta, note: str
) -> None:
    assert (await post(http, update(age=age))).status_code == 200
    assert await stored(ledger) == [(NAME, "ContactUpdate", "quarantined", note)]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
async def test_a_time_that_has_no_form_in_utc_is_kept_in_quarantine(
    http: httpx.AsyncClient, ledger: Ledger, time: str
) -> None:
    assert (await post(http, update(timestamp=time))).status_code == 200
    assert [row[2] for row in await stored(ledger)] == ["quarantined"]


async def test_an_id_that_comes_again_after_34_days_is_the_same_event(
    http: httpx.AsyncClient, ledger: Ledger, clock: SettableClock
) -> None:
    then = clock.now()
    body = update(timestamp=then.isoformat())
    first = (await post(http, body)).json()["event"]
    clock.advance(timedelta(days=34))
    await ledger.write(inbox.finish_events, [EventId(first)], InboxState.APPLIED, now=then)
    await ledger.write(retention.forget_events, NAME, InboxState.APPLIED)

    assert (await post(http, body)).json()["event"] == first
    assert await stored(ledger) == [(NAME, "ContactUpdate", "applied", None)]


MALFORMED = {
    "empty": b"",
    "cut off": b"{",
    "a list": b"[]",
    "1,000 levels": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "100,000 levels": b"[" * 100_000,
    "NaN": b'{"type": "ContactUpdate", "id": "c", "score": NaN}',
    "5,000 digits": b'{"type": "ContactUpdate", "id": "c", "n": ' + b"1" * 5_000 + b"}",
    "a repeated key": b'{"type": "ContactUpdate", "id": "c", "id": "d"}',
    "a lone surrogate": b'{"type": "ContactUpdate", "id": "\\ud800"}',
    "an escaped NUL": b'{"type": "ContactUpdate", "id": "c\\u0000"}',
    "a NUL": b'{"type": "ContactUpdate", "id": "c\x00"}',
    "no UTF-8": b"\xff\x00",
    "no type": b'{"id": "c"}',
    "no id": b'{"type": "ContactUpdate", "locationId": "loc1"}',
    "a type of many lines": b'{"type": "a\\nINFO forged", "locationId": "loc1"}',
    "a time without zone": update(timestamp="2026-11-25T10:00:00"),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_delivery_is_refused_and_kept_in_quarantine(
    http: httpx.AsyncClient, ledger: Ledger, body: bytes
) -> None:
    assert [(await post(http, body)).status_code for _ in range(3)] == [400] * 3

    ((connection, type_, state, note),) = await stored(ledger)
    assert (connection, type_, state) == ("", "malformed", "quarantined")
    assert (note or "").startswith("delivery refused: ")


async def test_a_malformed_delivery_that_nobody_signed_is_not_kept(
    http: httpx.AsyncClient, ledger: Ledger
) -> None:
    assert (await post(http, b"{", STRANGER)).status_code == 401
    assert await stored(ledger) == []


async def test_a_locked_ledger_asks_ghl_to_come_again(
    http: httpx.AsyncClient, ledger: Ledger, ledger_url: str
) -> None:
    async with locked(ledger_url):
        impatient = client_of(ledger, PATIENT._replace(ledger_deadline_s=0.2))
        refused = await post(impatient, BODY)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert (await post(http, BODY)).status_code == 200
    assert await stored(ledger) == [WAITING]
