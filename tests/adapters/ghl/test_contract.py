"""Every request conforms to the vendor's files: path, query, header, body, scope."""

import json

import httpx
import pytest

from tests.adapters.ghl.case import MethodCase
from tests.adapters.ghl.line import line
from tests.adapters.ghl.methods import CASES
from tests.adapters.ghl.published import OPERATIONS, operation_of, published_path
from tests.vendor_specs import (
    faults,
    file_of,
    has_schema,
    parameters,
    validator,
)
from tests.vendor_specs import (
    operation_of as published,
)

CORE = (
    "get-contact", "get-all-tasks", "get-task", "get-all-notes", "get-note",
    "get-appointments-for-contact", "get-contacts", "get-contacts-by-businessId", "create-contact",
    "update-contact", "delete-contact", "create-task", "update-task", "update-task-completed",
    "delete-task", "add-tags",
)  # fmt: skip
"""The vendor's names of the sixteen most important endpoints."""


async def request_of(case: MethodCase) -> httpx.Request:
    async with line(httpx.Response(200, json=case.answer)) as sent:
        await case.call(sent.client)
    return sent.requests[0]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_the_vendors_files_accept_what_we_send(case: MethodCase) -> None:
    operation = operation_of(case)
    path = published_path(operation)
    here = file_of(path), operation.method, path
    request = await request_of(case)
    known = {each.name: each for each in parameters(*here) if each.place != "path"}
    sent = {**dict(request.url.params), "Version": request.headers["Version"]}

    assert sent.keys() <= known.keys()
    assert {name for name, each in known.items() if each.required} <= sent.keys()
    assert [known[name].faults(value) for name, value in sent.items()] == [[]] * len(sent)
    if has_schema(*here):
        assert faults(validator(*here), json.loads(request.content)) == []
    else:
        assert not request.content


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_right_we_ask_for_is_the_published_one(case: MethodCase) -> None:
    operation = operation_of(case)
    path = published_path(operation)
    rights = [
        scope
        for alternative in published(file_of(path), operation.method, path).get("security", [])
        for scopes in alternative.values()
        for scope in scopes
    ]

    assert not rights or operation.scope in rights


def test_every_operation_has_a_case() -> None:
    covered = {operation_of(case) for case in CASES.values()}

    assert set(OPERATIONS) == covered


def test_all_sixteen_core_endpoints_are_methods() -> None:
    names = {
        published(file_of(path), each.method, path)["operationId"]
        for each in OPERATIONS
        for path in [published_path(each)]
    }

    assert set(CORE) <= names
