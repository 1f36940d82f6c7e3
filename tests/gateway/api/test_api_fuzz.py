"""Whatever is sent, the answer is one the document promises: no 500, and no value repeated."""

import asyncio
import json
import string
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.api.given import RIKU, api_client, new_token
from tests.gateway.given import publish, settings_with
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger
from timerex_ghl.gateway.api.booking_wire import BookingDraft
from timerex_ghl.gateway.api.contact_wire import ContactChange, ContactDraft

FIELDS = [*{*BookingDraft.model_fields, *ContactChange.model_fields, *ContactDraft.model_fields}]
HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
TEXT = st.one_of(
    st.text(max_size=50),
    st.sampled_from(["\0", "\ud800", "Asia/Tokyo", "a@b.example", "090-1234-5678", "x" * 20_000]),
    TIMES,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
BODY = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS) | TEXT, JSON, max_size=8).map(json.dumps),
    st.fixed_dictionaries(
        {"starts_at": TIMES, "ends_at": TIMES, "timezone": st.just("UTC")},
        optional={"guest_email": TEXT, "guest_name": TEXT, "state": TEXT, "host_names": JSON},
    ).map(json.dumps),
    JSON.map(json.dumps),
    st.text(string.printable, max_size=50),
).map(lambda text: text.encode(errors="surrogatepass"))
QUERY = st.dictionaries(
    st.sampled_from(["limit", "cursor", "email", "phone", "updated_since", "starts_from", "state"])
    | TEXT.map(lambda text: text.encode(errors="replace").decode()),
    st.integers().map(str) | TEXT.map(lambda text: text.encode(errors="replace").decode()[:2_000]),
    max_size=3,
)
PROMISED = {200, 201, 204, 400, 404, 405, 409, 412, 415, 422, 428}


class Api:
    """The API on an event loop of its own, so that examples can call it one after another."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.url = url

    async def open(self) -> None:
        self.opened = open_ledger(self.url)
        self.ledger: Ledger = await self.opened.__aenter__()
        await publish(self.ledger, settings_with())
        self.client = api_client(self.ledger, await new_token(self.ledger))
        made = await self.client.post("/contacts", json=RIKU)
        self.ids = [made.json()["id"], "c_1"]

    async def close(self) -> None:
        await self.client.aclose()
        await self.opened.__aexit__(None, None, None)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, **options))


@pytest.fixture
def fuzzed(ledger_url: str) -> Generator[Api]:
    api = Api(ledger_url)
    api.runner.run(api.open())
    yield api
    api.runner.run(api.close())
    api.runner.close()


def assert_promised(answer: httpx.Response) -> None:
    assert answer.status_code in PROMISED, (answer.status_code, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() >= {"type", "title", "status", "detail", "instance"}


THOROUGH = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@THOROUGH
@given(
    method=st.sampled_from(["POST", "PATCH", "DELETE"]),
    place=st.integers(0, 3),
    body=BODY,
    if_match=st.none() | st.just('"1"') | st.just("*") | HEADER,
    key=st.none() | HEADER,
)
def test_no_body_and_no_header_is_an_error_of_ours(
    fuzzed: Api, method: str, place: int, body: bytes, if_match: str | None, key: str | None
) -> None:
    contact_id, unknown = fuzzed.ids
    paths = ("/contacts", "/bookings", f"/contacts/{contact_id}", f"/bookings/{unknown}")
    sent = {"if-match": if_match, "idempotency-key": key, "content-type": "application/json"}
    headers = [
        (name.encode(), value.encode("latin-1"))
        for name, value in sent.items()
        if value is not None
    ]

    assert_promised(fuzzed.send(method, paths[place], content=body, headers=headers))


@THOROUGH
@given(path=st.sampled_from(["/contacts", "/bookings"]), query=QUERY)
def test_no_query_is_an_error_of_ours(fuzzed: Api, path: str, query: dict[str, str]) -> None:
    assert_promised(fuzzed.send("GET", path, params=query))
