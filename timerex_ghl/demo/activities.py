"""The demo's notes and tasks: written on both sides, then edited, completed and deleted.

The checks share no comparison with the engine.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activity_pages
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.checker import BOOKING_MARK
from timerex_ghl.demo.prefect_api import RunFailedError
from timerex_ghl.demo.scenario import DemoStory
from timerex_ghl.domain.activities.activity_entry import NoteEntry, TaskEntry
from timerex_ghl.domain.activities.activity_fields import KINDS, TITLE, ActivityId, ActivityKey
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.workspace import activity_edits
from timerex_ghl.workspace.edits import Editor

HERE, THERE = "sora.abe@kawa.example", "jun.ueda@yama.example"
"""The person whose notes and tasks start in the workspace, and the one whose start in the CRM."""

MARK = re.compile(r"\s*\[[nt]_[0-9a-f]+\]\s*$")


async def write_on_both(story: DemoStory) -> int:
    """Write a note and two tasks on each side; return how many in all."""
    editor = await _editor(story)
    due_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    entries = (
        NoteEntry(text="Met at the fair & liked <samples>"),
        TaskEntry(title="Send the offer", due_at=due_at, body="With last year's prices"),
        TaskEntry(title="Never mind", due_at=due_at),
    )
    for entry in entries:
        await story.ledger.write(_add, editor, HERE, entry)
    person = f"/ghl/person/contacts/{await _crm_id(story, THERE)}"
    await story.sandbox.send("POST", f"{person}/notes", {"body": "<p>Prefers <b>mornings</b></p>"})
    for title in ("Call back", "Ask for the address"):
        task = {"title": title, "dueDate": due_at.isoformat(), "completed": False}
        await story.sandbox.send("POST", f"{person}/tasks", task)
    return 2 * len(entries)


async def continue_on_the_other(story: DemoStory) -> int:
    """Edit, complete and delete what was written in the other system; return the change count."""
    sora = await _contact(story, HERE)
    path = f"/ghl/person/contacts/{sora['id']}"
    tasks = {task["title"]: task["id"] for task in sora["tasks"]}
    note = {"body": "<div>Met at the fair, call <i>soon</i></div>"}
    await story.sandbox.send("PUT", f"{path}/notes/{sora['notes'][0]['id']}", note)
    completed = f"{path}/tasks/{tasks['Send the offer']}/completed"
    await story.sandbox.send("PUT", completed, {"completed": True})
    await story.sandbox.send("DELETE", f"{path}/tasks/{tasks['Never mind']}")
    await story.ledger.write(_complete_and_delete, await _editor(story))
    return 5


async def differences(story: DemoStory) -> list[str]:
    """List the differences; empty if both sides agree."""
    contacts = await story.sandbox.contacts()
    here = await story.ledger.read(_here, story)
    there = Counter(
        (contact["email"].lower(), *said)
        for contact in contacts
        for said in _said(contact)
        if contact.get("email")
    )
    return [
        f"{count} {kind}s of one person differ"
        for (_, kind, *_), count in ((here - there) + (there - here)).items()
    ]


def _said(contact: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return a GHL contact's notes and tasks as (kind, text, completed)."""
    texts = [MARK.sub("", note["bodyText"]) for note in contact.get("notes") or ()]
    notes = [("note", _plain(text), "") for text in texts if not BOOKING_MARK.search(text)]
    tasks = [
        ("task", task["title"], str(task["completed"]).lower())
        for task in contact.get("tasks") or ()
    ]
    return [*notes, *tasks]


def _here(tx: Connection, story: DemoStory) -> Counter[tuple[str, str, str, str]]:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for kind in KINDS:
        rows = activity_pages.page_of_activities(tx, story.connection, kind, WantedActivities())
        for row in rows:
            person = workspace_contacts.get_contact(tx, story.connection, row.contact_id)
            values = {str(field): value or "" for field, value in row.values.items()}
            emails = {str(k): str(v) for k, v in person.contact.values.items()} if person else {}
            said = values["text"] if kind == "note" else values["title"]
            done = values.get("completed", "")
            found[emails.get("email", "").lower(), kind, _plain(said), done] += 1
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _add(tx: Connection, editor: Editor, email: str, entry: NoteEntry | TaskEntry) -> None:
    rows, _ = workspace_contacts.find_contacts(tx, editor.connection, Keys(email, None))
    activity_edits.add_activity(tx, editor, rows[0].id, entry, datetime.now(UTC))


def _complete_and_delete(tx: Connection, editor: Editor) -> None:
    """Complete one of the CRM's tasks in the workspace and delete the other, as the CLI does."""
    rows, _ = workspace_contacts.find_contacts(tx, editor.connection, Keys(THERE, None))
    wanted = WantedActivities(contact_id=rows[0].id)
    tasks = activity_pages.page_of_activities(tx, editor.connection, "task", wanted)
    by_title = {str(task.values.get(TITLE)): ActivityId(task.id) for task in tasks}
    now, done = datetime.now(UTC), TaskEntry(completed=True)
    activity_edits.change_activity(tx, editor, by_title["Call back"], done, now, versions=None)
    key = ActivityKey("task", by_title["Ask for the address"])
    activity_edits.delete_activity(tx, editor, key, now, versions=None)


async def _editor(story: DemoStory) -> Editor:
    version = await story.ledger.read(published.current, story.connection)
    if version is None:
        raise RunFailedError("the connection is not published")
    return Editor(version.settings, "demo")


async def _contact(story: DemoStory, email: str) -> dict[str, Any]:
    found = [
        one for one in await story.sandbox.contacts() if (one.get("email") or "").lower() == email
    ]
    if not found:
        raise RunFailedError("a contact of the demo is not in the CRM")
    return found[0]


async def _crm_id(story: DemoStory, email: str) -> str:
    return (await _contact(story, email))["id"]
