"""The flow `activity-mirror`, on the real Prefect server."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flows.activity_mirror import Kinds, activity_mirror
from flows.contact_sync import Mode, contact_sync
from tests.flows.conftest import Drafts, Engine, add_person
from tests.flows.publishing.test_calendars_in_publishing import SCOPES
from timerex_ghl.adapters.ledger.tables.activities import activity_pages
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.activities.activity_entry import NoteEntry, TaskEntry
from timerex_ghl.domain.activities.activity_fields import TITLE, Activity, ActivityId, ActivityKey
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import ConnectionName, ContactId
from timerex_ghl.engine.context import utc_now
from timerex_ghl.workspace import activity_edits
from timerex_ghl.workspace.edits import Editor

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


async def person(engine: Engine, name: ConnectionName, email: str) -> ContactId:
    """Add a contact on both sides."""
    await add_person(engine, name, email=email, first_name="Mio")
    assert (await engine.here(contact_sync, name)).is_completed()
    found, _ = await engine.stage.ledger.read(
        workspace_contacts.find_contacts, name, Keys(email, None)
    )
    return found[0].id


async def write(
    engine: Engine, name: ConnectionName, contact_id: ContactId, entry: NoteEntry | TaskEntry
) -> ActivityId:
    version = await engine.stage.ledger.read(published.current, name)
    assert version is not None
    editor = Editor(version.settings, by="test")
    row = await engine.stage.ledger.write(
        activity_edits.add_activity, editor, contact_id, entry, utc_now()
    )
    return row.id


async def in_crm(engine: Engine, email: str) -> dict[str, Any]:
    (found,) = [one for one in await engine.stage.sandbox.contacts() if one.get("email") == email]
    return found


async def here(engine: Engine, name: ConnectionName, key: ActivityKey) -> Activity:
    row = await engine.stage.ledger.read(activity_pages.get_living, name, key)
    assert row is not None
    return row


async def test_the_flow_brings_both_systems_in_sync_and_says_how_late_it_can_be(
    engine: Engine, ready: ConnectionName
) -> None:
    email, sandbox = "mio@mirror.example", engine.stage.sandbox
    contact_id = await person(engine, ready, email)
    await write(engine, ready, contact_id, NoteEntry(text="Met at the fair"))
    task_id = await write(
        engine, ready, contact_id, TaskEntry(title="Send the offer", due_at=TOMORROW)
    )

    run = await engine.api.run("activity-mirror", connection=ready)

    contact = await in_crm(engine, email)
    assert [note["bodyText"].splitlines()[0] for note in contact["notes"]] == ["Met at the fair"]
    (task,) = contact["tasks"]
    assert (run["name"], run["state_name"]) == (
        f"{ready} notes, tasks and appointments apply",
        "Completed",
    )
    report = await engine.artifact(f"activity-mirror-{ready}")
    assert "a task: at most 1440 minutes" in report
    assert "one sweep of" in report
    assert "appointment" not in report

    path = f"/ghl/person/contacts/{contact['id']}/tasks/{task['id']}"
    await sandbox.send("PUT", path, {"title": "Send the offer today"})
    before, key = await sandbox.writes(), ActivityKey("task", task_id)
    dry_run = await engine.here(activity_mirror, ready, mode=Mode.DRY_RUN)
    planned = await engine.artifact(f"activity-mirror-{ready}")
    assert "would be: 1 applied" in (dry_run.message or "")
    assert f"| task:{task_id} |  | title |" in planned
    assert "today" not in planned
    assert (await here(engine, ready, key)).values[TITLE] == "Send the offer"

    await engine.here(activity_mirror, ready, Kinds.TASKS)
    again = await engine.here(activity_mirror, ready)

    assert (await here(engine, ready, key)).values[TITLE] == "Send the offer today"
    assert await sandbox.writes() == before
    assert "0 writes to GHL" in (again.message or "")


async def test_a_calendar_is_looked_at_and_the_artifact_says_how_late_a_cancel_can_be_noticed(
    engine: Engine, drafts: Drafts
) -> None:
    calendar_id = engine.stage.sandbox.ghl["calendar_id"]
    name = await drafts.publish(ghl={**drafts.ghl, **SCOPES}, calendars=f"* = {calendar_id}")

    state = await engine.here(activity_mirror, name, Kinds.APPOINTMENTS)

    assert state.name == "Completed"
    report = await engine.artifact(f"activity-mirror-{name}")
    assert "a cancelled appointment: at most 1440 minutes" in report
    assert "| API calls | 1 |" in report


async def test_a_missing_right_to_appointments_delays_no_task(
    engine: Engine, drafts: Drafts
) -> None:
    email, sandbox = "yui@mirror.example", engine.stage.sandbox
    granted = SCOPES["scopes"].replace("calendars/events.readonly ", "").split()
    token = await sandbox.send("POST", "/ghl/tokens", {"kind": "private", "scopes": granted})
    ghl = {**drafts.ghl, **SCOPES, "private_token": token["access_token"]}
    name = await drafts.publish(ghl=ghl, calendars=f"* = {sandbox.ghl['calendar_id']}")
    contact_id = await person(engine, name, email)
    await write(engine, name, contact_id, TaskEntry(title="Call", due_at=TOMORROW))

    state = await engine.here(activity_mirror, name)

    assert state.is_failed()
    assert "calendars/events.readonly" in (state.message or "")
    assert [task["title"] for task in (await in_crm(engine, email))["tasks"]] == ["Call"]
