"""The main job's deployments, started as the Prefect UI starts them, on a worker."""

import asyncio
from datetime import UTC, datetime

from flows.booking_to_crm import booking_to_crm
from flows.contact_sync import Scope, contact_sync
from flows.publish_connection import publish_connection
from tests.flows.conftest import NO_SCHEDULED_RUNS, Engine
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit, published
from timerex_ghl.demo.checker import disagreements
from timerex_ghl.demo.environment import CONNECTION, enter_blocks
from timerex_ghl.demo.prefect_api import message_of
from timerex_ghl.demo.scenario import TRUTHS, DemoStory
from timerex_ghl.orchestration.schedules import SCHEDULED


async def test_publishing_makes_a_version_with_schedules_and_an_audit_row(engine: Engine) -> None:
    await enter_blocks(engine.stage, **NO_SCHEDULED_RUNS)

    run = await engine.api.run("publish-connection", connection=CONNECTION)

    version = await engine.stage.ledger.read(published.current, CONNECTION)
    rows = await engine.stage.ledger.read(audit.entries, CONNECTION, 10)
    assert version is not None
    assert version.version == 1
    assert run["name"] == "demo apply"
    assert "version 1 runs now" in message_of(run)
    assert [row.what for row in rows] == ["connection published"]
    assert "ghl.location_id: not set ->" in await engine.artifact("publish-connection-demo")
    for name in SCHEDULED:
        deployment = await engine.api.send("GET", f"/deployments/name/{name}/{name}")
        (schedule,) = deployment["schedules"]
        assert (schedule["slug"], schedule["parameters"]) == ("demo", {"connection": "demo"})
    (watch,) = (await engine.api.send("GET", "/deployments/name/watch/watch"))["schedules"]
    assert watch["active"]


async def test_bookings_reach_the_crm(engine: Engine) -> None:
    stage = engine.stage
    version = await stage.ledger.read(published.current, CONNECTION)
    assert version is not None
    endpoint = f"{stage.gateway_url}/webhooks/timerex/{version.settings.timerex.endpoint}"
    await stage.sandbox.send("POST", "/timerex/webhook", {"url": endpoint})
    story = DemoStory(stage.sandbox, stage.ledger, CONNECTION)
    await story.make_people()
    webhooks = await story.book()
    event_ids: list[str] = []
    while len(event_ids) < webhooks:
        await asyncio.sleep(0.1)
        now = datetime.now(UTC)
        event_ids = [*await stage.ledger.read(inbox.waiting_events, CONNECTION, now)]

    run = await engine.api.run("booking-to-crm", connection=CONNECTION, event_ids=event_ids)

    assert run["name"] == f"demo {event_ids[0]} and {webhooks - 1} more"
    assert run["state_name"] == "Completed"
    assert "demo" in run["tags"]
    report = await engine.artifact("booking-to-crm-demo")
    assert "| Writes to GHL |" in report
    assert "/contacts/detail/" in report
    assert await stage.ledger.read(inbox.waiting_events, CONNECTION, datetime.now(UTC)) == []


async def test_replaying_the_bookings_writes_nothing(engine: Engine) -> None:
    stage = engine.stage
    events = [
        row.subject.id
        for row in await stage.ledger.read(audit.entries, CONNECTION, 100)
        if row.subject.kind == "event"
    ]
    before = await stage.sandbox.writes()

    state = await engine.here(booking_to_crm, CONNECTION, events[:3])

    assert await stage.sandbox.writes() == before
    assert "0 writes to GHL" in (state.message or "")


async def test_contacts_are_planned_then_synced_then_quiet(engine: Engine) -> None:
    sandbox = engine.stage.sandbox
    before = await sandbox.writes()

    dry_run = await engine.api.run("contact-sync", connection=CONNECTION, mode="dry-run")
    after_dry_run = await sandbox.writes()
    planned = await engine.artifact("contact-sync-demo")
    await engine.here(contact_sync, CONNECTION, Scope.FULL)
    rows = await engine.stage.ledger.read(workspace_contacts.list_contacts, CONNECTION)
    after_sync = await sandbox.writes()
    again = await engine.here(contact_sync, CONNECTION)

    assert dry_run["name"] == "demo incremental dry-run"
    assert "would be" in message_of(dry_run)
    assert "| contact.create: companyName, email, firstName, lastName" in planned
    assert (after_dry_run - before, await sandbox.writes() - after_sync) == (0, 0)
    assert "0 writes to GHL" in (again.message or "")
    assert disagreements(rows, await sandbox.contacts(), TRUTHS) == []


async def test_publishing_again_after_the_refresh_token_was_spent_works(engine: Engine) -> None:
    """The block still has the first refresh token, which was used long ago."""
    await engine.stage.sandbox.send("POST", "/ghl/expire_access", {})
    sync = await engine.here(contact_sync, CONNECTION)
    oauth = [c for c in await engine.stage.sandbox.calls() if c["path"].endswith("/oauth/token")]

    published_again = await engine.here(publish_connection, CONNECTION)

    assert sync.name == "Completed"
    assert len(oauth) == 2, "one refresh to begin with, one after the token was refused"
    assert "version 1 runs now, 0 settings changed" in (published_again.message or "")
