"""The sandbox's answers validated against the vendor's OpenAPI files, refusals included."""

from typing import Any

import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.ghl.openapi_world import BODIES, QUERIES, OpenApiWorld, made_world
from tests.vendor_specs import (
    faults,
    file_of,
    has_schema,
    operation_of,
    parameters,
    specs_or_skip,
    statuses,
    validator,
)
from timerex_ghl.sandbox.ghl.ghl_router import OPERATIONS
from timerex_ghl.sandbox.ghl.operations import VendorOperation


def each(*operations: VendorOperation) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.id)


WITH_TOKEN = [operation for operation in OPERATIONS if operation.scope is not None]
WITH_BODY = [op for op in OPERATIONS if BODIES.get(op.id) and op.id != "get-access-token"]
NAMING = [op for op in OPERATIONS if "{" in op.path and op.id != "get-contacts-by-businessId"]

RECORDED_STATUS = {"delete-event": (200, 201)}
"""What recorded answers say, and what the files say instead."""

SCOPE_ELSEWHERE = {
    "get-tag-by-id": "the files leave the scope out; their table of scopes has it",
    "update-tag": "as above",
    "delete-tag": "as above",
    "get-custom-field": "as above",
    "update-custom-field": "as above",
    "delete-custom-field": "as above",
    "get-custom-value": "as above",
    "update-custom-value": "as above",
    "delete-custom-value": "as above",
}


@pytest.fixture
async def world(sandbox: SandboxCaller) -> OpenApiWorld:
    specs_or_skip()
    return await made_world(sandbox)


def judge(operation: VendorOperation, status: int, body: Any) -> list[str]:
    """List an answer's faults by the files; none if they do not describe it."""
    place = (file_of(operation.path), operation.method, operation.path)
    published = RECORDED_STATUS.get(operation.id, (status, status))[1]
    if not has_schema(*place, published):
        return []
    return faults(validator(*place, published), body)


@each(*OPERATIONS)
async def test_what_is_done_is_answered_as_published(
    world: OpenApiWorld, operation: VendorOperation
) -> None:
    answer = await world.call(operation)

    place = (file_of(operation.path), operation.method, operation.path)
    recorded, published = RECORDED_STATUS.get(operation.id, (answer.status_code,) * 2)
    assert answer.status_code == recorded
    assert published in statuses(*place), answer.text
    assert answer.is_success, answer.text
    assert judge(operation, answer.status_code, answer.json()) == []
    assert answer.json()["traceId"]


@each(*OPERATIONS)
async def test_the_examples_here_are_calls_as_published(
    world: OpenApiWorld, operation: VendorOperation
) -> None:
    place = (file_of(operation.path), operation.method, operation.path)
    query = world.fill(QUERIES.get(operation.id, {}))
    wanted = [parameter for parameter in parameters(*place) if parameter.place == "query"]

    for parameter in wanted:
        assert parameter.name in query or not parameter.required
        assert parameter.name not in query or parameter.faults(query[parameter.name]) == []
    assert query.keys() <= {parameter.name for parameter in wanted}
    assert has_schema(*place) or not BODIES.get(operation.id)
    if operation.id in BODIES:
        assert faults(validator(*place), world.fill(BODIES[operation.id])) == []


@each(*WITH_TOKEN)
async def test_a_wrong_token_is_refused_as_published(
    world: OpenApiWorld, operation: VendorOperation
) -> None:
    answer = await world.call(operation, token="pit-wrong")

    assert answer.status_code == 401
    assert judge(operation, 401, answer.json()) == []
    assert answer.json()["message"] == "Invalid Private Integration token"


@each(*WITH_BODY)
async def test_an_unknown_key_is_refused_as_published(
    world: OpenApiWorld, operation: VendorOperation
) -> None:
    answer = await world.call(operation, body={**world.fill(BODIES[operation.id]), "mood": "good"})

    assert answer.status_code == 422
    assert judge(operation, 422, answer.json()) == []
    assert answer.json()["message"] == ["property mood should not exist"]


@each(*NAMING)
async def test_an_unknown_id_is_refused_as_published(
    world: OpenApiWorld, operation: VendorOperation
) -> None:
    ids = dict.fromkeys(world.ids, "gone")
    answer = await world.call(operation, ids=ids)

    assert answer.status_code in {400, 403, 404}
    assert judge(operation, answer.status_code, answer.json()) == []


@each(*OPERATIONS)
def test_an_operation_is_the_vendors(operation: VendorOperation) -> None:
    specs_or_skip()

    published = operation_of(file_of(operation.path), operation.method, operation.path)

    scopes = {
        scope
        for entry in published.get("security", [])
        for names in entry.values()
        for scope in names
    }
    assert published["operationId"] == operation.id
    if operation.id in SCOPE_ELSEWHERE:
        assert scopes == set()
    elif scopes:
        assert scopes == {operation.scope}


def test_no_call_of_an_unknown_operation_is_prepared() -> None:
    assert BODIES.keys() | QUERIES.keys() <= {operation.id for operation in OPERATIONS}
