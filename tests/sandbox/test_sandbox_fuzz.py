"""Any request to any operation is answered by a success or a refusal, never a 500."""

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.ghl.openapi_world import BODIES, QUERIES, Json, OpenApiWorld, made_world
from timerex_ghl.sandbox.ghl.ghl_router import OPERATIONS
from timerex_ghl.sandbox.ghl.operations import VendorOperation
from timerex_ghl.sandbox.server import Sandbox, sandbox_app

ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "+",
    "-1",
    "9" * 30,
    "1e999",
    "NaN",
    "a" * 76,
    "riku@hinode.example",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2030-13-01",
    "{contactId}",
    "customFields.x",
    "dateUpdated",
    "asc",
    "\U0001f375",
)
ODD_NUMBERS = (0, -1, 1, 26, 501, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308)
WORDS = sorted(
    {key for body in BODIES.values() for key in body}
    | {key for query in QUERIES.values() for key in query}
    | {"filters", "field", "operator", "value", "group", "sort", "direction", "searchAfter", "page"}
    | {"key", "fieldValue", "createNewIfDuplicateAllowed", "options", "textBoxListOptions", "label"}
)
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=8)
LEAVES = st.one_of(st.none(), st.booleans(), st.sampled_from(ODD_NUMBERS), TEXTS)
NAMES = st.one_of(st.sampled_from(WORDS), st.text(max_size=4))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FILTER = st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(["dateUpdated", "email", "tags", "phone", "customFields.x"])
        | VALUES,
        "operator": st.sampled_from(["eq", "contains", "range", "exists", "not_eq"]) | VALUES,
        "value": VALUES | st.dictionaries(st.sampled_from(["gt", "lte"]), LEAVES, min_size=1),
        "group": st.sampled_from(["AND", "OR"]) | VALUES,
        "filters": VALUES,
    },
)
SORT = st.fixed_dictionaries(
    {"field": st.sampled_from(["dateUpdated", "email", "dnd"]), "direction": st.just("asc")}
)
SEARCHES = st.fixed_dictionaries(
    {"filters": st.lists(FILTER | VALUES, max_size=2)},
    optional={
        "sort": st.lists(SORT | VALUES, max_size=2),
        "searchAfter": st.lists(LEAVES, max_size=3),
        "query": LEAVES,
    },
)


FEWER = settings(max_examples=max(1, settings().max_examples // 4), deadline=None)
"""There are 69 operations, each with a sandbox of its own: a quarter of the usual examples each."""


class Thrown(NamedTuple):
    """One random call."""

    ids: dict[str, str]
    query: dict[str, str]
    body: Any


def changed(good: Json) -> st.SearchStrategy[Any]:
    """Replace parts of a valid body, or all of it, by random values."""
    places = st.sampled_from(sorted(good)) | NAMES if good else NAMES
    edits = st.dictionaries(places, VALUES, max_size=3)
    leaf = st.tuples(places, LEAVES).map(lambda edit: {**good, edit[0]: edit[1]})
    return st.one_of(leaf, edits.map(lambda edit: {**good, **edit}), edits, VALUES)


def thrown(world: OpenApiWorld, operation: VendorOperation) -> st.SearchStrategy[Thrown]:
    query, body = (
        world.fill(QUERIES.get(operation.id, {})),
        world.fill(BODIES.get(operation.id, {})),
    )
    bodies = changed(body)
    if operation.id == "search-contacts-advanced":
        bodies |= SEARCHES.map(lambda odd: {**body, **odd})
    texts = st.dictionaries(st.sampled_from(sorted(query) or ["x"]) | NAMES, TEXTS, max_size=3)
    ids = st.dictionaries(st.sampled_from(sorted(world.ids)), TEXTS, max_size=1)
    return st.builds(
        Thrown,
        ids=ids.map(lambda odd: {name: quote(text, safe="") for name, text in odd.items()}),
        query=texts.map(lambda odd: {**query, **odd}),
        body=texts.map(lambda odd: {**body, **odd}) if operation.form else bodies,
    )


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop shared by all examples, as Hypothesis does not support coroutines."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def world(runner: asyncio.Runner) -> Iterator[OpenApiWorld]:
    """A filled sandbox in this process: a socket and a thread would cost more than the answers."""
    sandbox = Sandbox()
    transport = httpx.ASGITransport(sandbox_app(sandbox, lambda _: None))
    http = httpx.AsyncClient(transport=transport)
    yield runner.run(made_world(SandboxCaller(sandbox.info("http://sandbox.example"), http)))
    runner.run(http.aclose())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_whatever_is_thrown_at_it_it_answers(
    world: OpenApiWorld, runner: asyncio.Runner, operation: VendorOperation
) -> None:
    info, http = world.sandbox.info.ghl, world.sandbox.http
    token = world.ids["agency"] if operation.agency == "only" else info.private_token
    headers = {"authorization": f"Bearer {token}", "version": "2021-07-28"}

    @FEWER
    @given(thrown(world, operation))
    def each(odd: Thrown) -> None:
        request = http.request(
            operation.method,
            info.base_url + world.path(operation, odd.ids),
            headers=headers,
            params=odd.query,
            data=odd.body if operation.form else None,
            json=None if operation.form else odd.body,
        )
        answer = runner.run(request)
        assert answer.status_code < 500
        assert answer.json()["traceId"]

    each()
