"""Flows on a ledger in PostgreSQL, set in the block."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest_asyncio

from flows.booking_to_crm import booking_to_crm
from flows.contact_sync import contact_sync
from tests.deliveries import confirmed
from tests.flows.conftest import Drafts, Engine
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.demo.checker import Truth, disagreements

EMAIL = "postgres@kumo.example"


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(engine: Engine, drafts: Drafts, postgresql_url: str) -> AsyncGenerator[Ledger]:
    """Point the installation's ledger block at PostgreSQL for a while."""
    del drafts  # the fixture made the block
    documents = await engine.api.send("POST", "/block_documents/filter", {})
    block = next(one for one in documents if one["name"] == "ledger")
    path = f"/block_documents/{block['id']}"
    await engine.api.send("PATCH", path, {"data": {"url": postgresql_url}})
    async with open_ledger(postgresql_url) as opened:
        yield opened
    await engine.api.send("PATCH", path, {"data": {"url": engine.stage.ledger_url}})


async def test_a_booking_and_a_sync_make_both_systems_agree_on_postgresql(
    engine: Engine, drafts: Drafts, ledger: Ledger
) -> None:
    name = await drafts.publish()
    event_id, _ = await ledger.write(
        inbox.store_event,
        connection=name,
        source="timerex",
        type="event_confirmed",
        dedupe_key="postgres-1",
        body=json.dumps(confirmed("postgres-1", EMAIL)),
        now=datetime.now(UTC),
    )

    booked = await engine.here(booking_to_crm, name, [event_id])
    synced = await engine.here(contact_sync, name)

    assert (booked.is_completed(), synced.is_completed()) == (True, True)
    crm = [one for one in await engine.stage.sandbox.contacts() if one.get("email") == EMAIL]
    here = await ledger.read(workspace_contacts.list_contacts, name)
    mine = [row for row in here if EMAIL in row.contact.values.values()]
    assert disagreements(mine, crm, [Truth(EMAIL, "Booked")]) == []
    reported = {entry.what for entry in await ledger.read(audit.entries, name, 50)}
    assert "event applied" in reported
