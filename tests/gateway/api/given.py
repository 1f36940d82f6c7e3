"""Helpers that set up the API's tests."""

from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import Connection, text

from tests.gateway.given import NAME, PATIENT
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import api_tokens
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.gateway.app import build_gateway
from timerex_ghl.gateway.limits import GatewayLimits

RIKU = {"first_name": "陸", "last_name": "佐藤", "email": "Riku@hinode.example"}
CALL = {
    "starts_at": "2026-02-10T10:00:00+09:00",
    "ends_at": "2026-02-10T10:30:00+09:00",
    "timezone": "Asia/Tokyo",
    "guest_email": "riku@hinode.example",
}
CALL_BACK = {"title": "Call back", "due_at": "2026-02-10T10:00:00+09:00"}


async def new_token(
    ledger: Ledger, *, may_write: bool = True, connection: ConnectionName = NAME
) -> str:
    _, token = await ledger.write(
        api_tokens.create_token,
        connection,
        name="a test",
        may_write=may_write,
        by="test",
        now=datetime.now(UTC),
    )
    return token.get_secret_value()


def api_client(
    ledger: Ledger, token: str | None, limits: GatewayLimits = PATIENT
) -> httpx.AsyncClient:
    app = build_gateway(ledger, limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=transport, base_url="http://gateway.example/api/v1", headers=headers
    )


async def add(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Add the contact Sato Riku, with changed fields."""
    response = await api.post("/contacts", json={**RIKU, **fields})
    assert response.status_code == 201, response.text
    return response.json()


async def book(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Add a booking of half an hour."""
    response = await api.post("/bookings", json={**CALL, **fields})
    assert response.status_code == 201, response.text
    return response.json()


async def write_down(api: httpx.AsyncClient, contact_id: str, **fields: Any) -> dict[str, Any]:
    """Add a note."""
    sent = {"contact_id": contact_id, "text": "Likes tea", **fields}
    response = await api.post("/notes", json=sent)
    assert response.status_code == 201, response.text
    return response.json()


async def ask_for(api: httpx.AsyncClient, contact_id: str, **fields: Any) -> dict[str, Any]:
    """Add a task."""
    response = await api.post("/tasks", json={**CALL_BACK, "contact_id": contact_id, **fields})
    assert response.status_code == 201, response.text
    return response.json()


def at(version: int) -> dict[str, str]:
    return {"if-match": f'"{version}"'}


async def events_of(ledger: Ledger) -> list[tuple[str, str, str, str]]:
    """List the pending events: source, type, record and body, in order."""

    def read(tx: Connection) -> list[tuple[str, str, str, str]]:
        statement = "SELECT source, type, record, body FROM inbox WHERE state = 'waiting'"
        return [tuple(row) for row in tx.execute(text(f"{statement} ORDER BY seq"))]

    return await ledger.read(read)


def assert_problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] == (f"urn:timerex-ghl:problem:{kind}" if kind else "about:blank")
    assert problem["instance"].startswith("urn:timerex-ghl:error:")
    assert problem["detail"]
    return problem
