"""Edits of notes and tasks by people."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.activities.activity_pages import get_living
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.domain.activities.activity_entry import (
    ActivityEntry,
    Kept,
    changed_fields,
    enter_activity,
    kind_of,
)
from timerex_ghl.domain.activities.activity_fields import TASK_ID, Activity, ActivityId, ActivityKey
from timerex_ghl.domain.contacts.contact_entry import EntryError, FieldFault
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.workspace.edits import Edit, Editor, UnknownRecordError, check_version, keep_track


def add_activity(
    tx: Connection, editor: Editor, contact_id: ContactId, entry: ActivityEntry, now: datetime
) -> Activity:
    """Add a note or task to a contact.

    Raises:
        EntryError: A value is invalid, or there is no such contact or task.
    """
    kind, values = kind_of(entry), enter_activity({}, entry)
    person = workspace_contacts.get_contact(tx, editor.connection, contact_id)
    if person is None or person.deleted:
        raise EntryError([FieldFault("contact_id", "unknown contact: create it first")])
    _check_task(tx, editor, contact_id, values)
    row = activities.new_activity(kind, contact_id, values, now)
    activities.add_activities(tx, editor.connection, [row])
    fields = changed_fields({}, values)
    keep_track(tx, editor, Edit(kind, "added", row.id, row.version, fields), now)
    return row


def change_activity(
    tx: Connection,
    editor: Editor,
    activity_id: ActivityId,
    entry: ActivityEntry,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> Activity:
    """Change the fields in the entry; without a change nothing is stored.

    Args:
        tx: Open transaction.
        editor: Who edits.
        activity_id: Id of a note if the entry is a note, else of a task.
        entry: The fields to change.
        now: The time.
        versions: The versions the edit applies to; None: any.

    Raises:
        UnknownRecordError: There is no such note or task.
        OtherVersionError: The row is at another version.
        EntryError: A value is invalid.
    """
    row = read_activity(tx, editor, ActivityKey(kind_of(entry), activity_id))
    check_version(row.kind, row.id, row.version, versions)
    values = enter_activity(row.values, entry)
    fields = changed_fields(row.values, values)
    if not fields:
        return row
    if TASK_ID in fields:
        _check_task(tx, editor, row.contact_id, values)
    after = row.model_copy(update={"values": values})
    changed = activities.save_activity(tx, editor.connection, after, now, deleted=False)
    keep_track(tx, editor, Edit(row.kind, "changed", row.id, changed.version, fields), now)
    return changed


def delete_activity(
    tx: Connection,
    editor: Editor,
    key: ActivityKey,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> None:
    """Mark a note or task as deleted. GHL's is deleted too; a task's notes stay.

    Raises:
        UnknownRecordError: There is no such note or task.
        OtherVersionError: The row is at another version.
    """
    row = read_activity(tx, editor, key)
    check_version(row.kind, row.id, row.version, versions)
    gone = activities.save_activity(tx, editor.connection, row, now, deleted=True)
    keep_track(tx, editor, Edit(row.kind, "deleted", row.id, gone.version), now)


def read_activity(tx: Connection, editor: Editor, key: ActivityKey) -> Activity:
    """Read a note or task that is not deleted.

    Raises:
        UnknownRecordError: There is no such note or task.
    """
    row = get_living(tx, editor.connection, key)
    if row is None:
        raise UnknownRecordError(f"there is no {key.kind} {key.id}")
    return row


def _check_task(tx: Connection, editor: Editor, contact_id: ContactId, values: Kept) -> None:
    """Check that a note's task belongs to the same contact."""
    task_id = values.get(TASK_ID)
    if not task_id:
        return
    task = get_living(tx, editor.connection, ActivityKey("task", ActivityId(task_id)))
    if task is None or task.contact_id != contact_id:
        raise EntryError([FieldFault("task_id", "not a task of this contact")])
