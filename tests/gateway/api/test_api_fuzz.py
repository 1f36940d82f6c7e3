"""Any request gets an answer from the document: no 500, and no sent value repeated."""

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

from tests.gateway.api.given import add, api_client, ask_for, new_token, write_down
from tests.gateway.given import publish, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.workspace.activity_views import NoteDraft, TaskDraft
from timerex_ghl.workspace.booking_views import BookingDraft
from timerex_ghl.workspace.contact_views import ContactChange, ContactDraft

MODELS = (BookingDraft, ContactChange, ContactDraft, NoteDraft, TaskDraft)
FIELDS = sorted({field for model in MODELS for field in model.model_fields})
SOMEBODY = "c_somebody"
PLACES = [
    "/contacts", "/bookings", "/notes", "/tasks", "/contacts/{id}", "/bookings/{id}",
    "/notes/{id}", "/tasks/{id}", "/tasks/{id}/complete", "/tasks/{id}/reopen",
]  # fmt: skip
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
    st.fixed_dictionaries(
        {"contact_id": st.just(SOMEBODY), "title": TEXT, "due_at": TIMES},
        optional={
            "body": TEXT,
            "completed": JSON,
            "assignee": TEXT,
            "status": st.sampled_from(["open", "in-progress", "completed"]) | TEXT,
        },
    ).map(json.dumps),
    st.fixed_dictionaries(
        {"contact_id": st.just(SOMEBODY), "text": TEXT}, optional={"task_id": TEXT}
    ).map(json.dumps),
    JSON.map(json.dumps),
    st.text(string.printable, max_size=50),
).map(lambda text: text.encode(errors="surrogatepass"))
QUERY = st.dictionaries(
    st.sampled_from(
        [
            "limit",
            "cursor",
            "email",
            "phone",
            "updated_since",
            "starts_from",
            "state",
            "completed",
            "contact_id",
            "task_id",
        ]
    )
    | TEXT.map(lambda text: text.encode(errors="replace").decode()),
    st.integers().map(str) | TEXT.map(lambda text: text.encode(errors="replace").decode()[:2_000]),
    max_size=3,
)
PROMISED = {200, 201, 204, 400, 404, 405, 409, 412, 415, 422, 428}


class Api:
    """The API on its own event loop, so that examples can call it one after another."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.url = url

    async def open(self) -> None:
        self.opened = open_ledger(self.url)
        self.ledger: Ledger = await self.opened.__aenter__()
        await publish(self.ledger, settings_with())
        self.client = api_client(self.ledger, await new_token(self.ledger))
        self.lost = (await add(self.client))["id"]  # an example may delete him
        self.kept = (await add(self.client, email="aoi@hinode.example"))["id"]

    async def close(self) -> None:
        await self.client.aclose()
        await self.opened.__aexit__(None, None, None)

    def path(self, place: str) -> str:
        """Return a path; for a note or task a new one, as the one before may be deleted."""
        made = {"id": self.lost}
        if place.startswith("/notes/"):
            made = self.runner.run(write_down(self.client, self.kept))
        elif place.startswith("/tasks/"):
            made = self.runner.run(ask_for(self.client, self.kept))
        return place.replace("{id}", made["id"])

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


LENIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LENIENT
@given(
    method=st.sampled_from(["POST", "PATCH", "DELETE"]),
    place=st.sampled_from(PLACES),
    body=BODY,
    if_match=st.none() | st.just('"1"') | st.just("*") | HEADER,
    key=st.none() | HEADER,
)
def test_no_body_and_no_header_is_an_error_of_this_service(
    fuzzed: Api, method: str, place: str, body: bytes, if_match: str | None, key: str | None
) -> None:
    sent = {"if-match": if_match, "idempotency-key": key, "content-type": "application/json"}
    headers = [
        (name.encode(), value.encode("latin-1"))
        for name, value in sent.items()
        if value is not None
    ]

    body = body.replace(SOMEBODY.encode(), fuzzed.kept.encode())

    assert_promised(fuzzed.send(method, fuzzed.path(place), content=body, headers=headers))


@LENIENT
@given(path=st.sampled_from(["/contacts", "/bookings", "/notes", "/tasks"]), query=QUERY)
def test_no_query_is_an_error_of_this_service(
    fuzzed: Api, path: str, query: dict[str, str]
) -> None:
    assert_promised(fuzzed.send("GET", path, params=query))
