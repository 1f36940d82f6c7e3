"""The OpenAPI document is complete and correct."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.gateway.api.given import api_client
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.domain.activities.activity_entry import NoteEntry, TaskEntry
from timerex_ghl.domain.shared.models import STANDARD_FIELDS
from timerex_ghl.gateway.api import bookings, contacts, differences, discarded_edits, notes, tasks


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def document(ledger: Ledger) -> dict[str, Any]:
    async with api_client(ledger, None) as client:
        answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_every_route_is_described_and_needs_a_token(document: dict[str, Any]) -> None:
    routes = [
        route
        for part in (contacts, bookings, notes, tasks, differences, discarded_edits)
        for route in part.router.routes
        if isinstance(route, APIRoute)
    ]
    described = operations(document)

    assert described.keys() == {
        f"{method} {route.path}" for route in routes for method in route.methods or ()
    }
    for operation in described.values():
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "403", "503"} <= operation["responses"].keys()
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert document["servers"] == [{"url": "/api/v1"}]


async def test_every_refusal_is_a_problem(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"] == {"application/problem+json": {"schema": problem}}


async def test_versions_and_keys_are_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        method = name.split()[0]
        headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        wanted = {"POST": {"Idempotency-Key"}, "PATCH": {"If-Match"}, "DELETE": {"If-Match"}}
        if name.endswith(("/complete", "/reopen")):
            wanted["POST"] = {"If-Match"}
        assert headers == wanted.get(method, set())
        tagged = {"GET": name.endswith("}"), "POST": True, "PATCH": True, "DELETE": False}[method]
        good: dict[str, Any] = next(iter(operation["responses"].values()))
        assert ("ETag" in good.get("headers", {})) == tagged


async def test_the_schemas_name_every_field(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    for name in ("ContactDraft", "ContactChange", "ContactView"):
        assert {*STANDARD_FIELDS, "custom"} <= schemas[name]["properties"].keys()
    assert schemas["BookingDraft"]["required"] == ["starts_at", "ends_at", "timezone"]
    assert schemas["BookingDraft"]["additionalProperties"] is False
    assert {*schemas["NoteDraft"]["required"]} == {"contact_id", "text"}
    assert {*schemas["TaskDraft"]["required"]} == {"contact_id", "title", "due_at"}
    for name in ("TaskDraft", "TaskEntry", "TaskView"):
        assert {*TaskEntry.model_fields} <= schemas[name]["properties"].keys()
    for name in ("NoteDraft", "NoteEntry", "NoteView"):
        assert {*NoteEntry.model_fields} <= schemas[name]["properties"].keys()
    assert "status" in schemas["TaskView"]["required"]


async def test_no_page_of_the_framework_is_served(ledger: Ledger) -> None:
    async with api_client(ledger, None) as client:
        for path in ("/openapi.json", "/docs", "/redoc", "/api/v1/docs", "/api/v1/redoc"):
            assert (await client.get(f"http://gateway.example{path}")).status_code == 404
