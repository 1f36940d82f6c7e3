"""The demo's data is consistent, and runs on a real sandbox and ledger."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from tests.engine.world import settings_of
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.checker import disagreements
from timerex_ghl.demo.sandbox_api import SandboxApi
from timerex_ghl.demo.scenario import (
    CRM_EDITS,
    CRM_PEOPLE,
    GUESTS,
    TRUTHS,
    WORKSPACE_EDITS,
    WORKSPACE_PEOPLE,
    DemoStory,
)
from timerex_ghl.domain.shared.models import ConnectionName, FieldName
from timerex_ghl.sandbox.core.json_io import to_json
from timerex_ghl.sandbox.server import running_sandbox

NAME = ConnectionName("demo")


@pytest_asyncio.fixture
async def story(tmp_path: Path) -> AsyncIterator[DemoStory]:
    ledger_url = f"sqlite:///{tmp_path / 'ledger.db'}"
    async with running_sandbox() as info, open_ledger(ledger_url) as ledger:
        sandbox = SandboxApi(json.loads(to_json(info.as_json())))
        settings = settings_of(info).model_copy(update={"name": NAME})
        await ledger.write(published.publish, settings, now=datetime.now(UTC))
        yield DemoStory(sandbox, ledger, NAME)
        await sandbox.close()


def test_everybody_who_is_edited_or_judged_is_in_the_story() -> None:
    here = {email for _, _, email, _, _ in WORKSPACE_PEOPLE}
    there = {email.lower() for _, _, email, _ in CRM_PEOPLE}
    guests = {email for _, email in GUESTS}

    assert {truth.email for truth in TRUTHS} == guests
    assert WORKSPACE_EDITS.keys() <= here
    assert CRM_EDITS.keys() <= there | guests
    assert here & there, "one contact is on both sides"
    assert all(email.endswith(".example") for email in here | there | guests)


async def test_the_story_is_played_through_both_endpoints(story: DemoStory) -> None:
    await story.make_people()
    for _, email in GUESTS:  # the sync, which does not run in this test, would have added them
        known = {contact["email"].lower() for contact in await story.sandbox.contacts()}
        if email not in known:
            await story.sandbox.send("POST", "/ghl/contacts", {"email": email})

    webhooks = await story.book()
    edits = await story.edit_on_both()

    assert (webhooks, edits) == (8, (len(CRM_EDITS), len(WORKSPACE_EDITS)))
    rows = await story.ledger.read(workspace_contacts.list_contacts, NAME)
    sora = next(row for row in rows if row.contact.values[FieldName("first_name")] == "Sora")
    assert sora.contact.values[FieldName("last_name")] == "Abe-Lind"
    assert sora.contact.tags == {"customer", "newsletter"}
    contacts = await story.sandbox.contacts()
    cities = {contact["email"].lower(): contact.get("city") for contact in contacts}
    assert cities["riku.sato@hinode.example"] == "Osaka"


async def test_before_the_sync_the_checker_is_not_content(story: DemoStory) -> None:
    await story.make_people()

    rows = await story.ledger.read(workspace_contacts.list_contacts, NAME)
    found = disagreements(rows, await story.sandbox.contacts(), TRUTHS)

    assert len([line for line in found if line.endswith("is not in GHL")]) >= 3
    assert len([line for line in found if line.endswith("is not in the workspace")]) >= 3
