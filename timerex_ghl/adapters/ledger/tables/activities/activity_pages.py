"""The workspace's notes and tasks as API pages, without those of deleted contacts.

A note of a deleted task is shown without a task.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities.activities import (
    WantedActivities,
    get_activities,
    get_activity,
    list_activities,
)
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.domain.activities.activity_fields import (
    TASK_ID,
    Activity,
    ActivityId,
    ActivityKey,
    ActivityKind,
    text_of,
)
from timerex_ghl.domain.shared.models import ConnectionName


def page_of_activities(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    wanted: WantedActivities,
    after: ActivityId | None = None,
    limit: int = 500,
) -> list[Activity]:
    """List a page of notes or tasks by id, without deleted ones."""
    task_id = wanted.task_id
    if task_id is not None and get_living(tx, connection, ActivityKey("task", task_id)) is None:
        return []
    rows = list_activities(tx, connection, kind, wanted, after, limit)
    return _without_gone_tasks(tx, connection, rows)


def get_living(tx: Connection, connection: ConnectionName, key: ActivityKey) -> Activity | None:
    """Read a note or task; None where it or its contact is deleted."""
    row = get_activity(tx, connection, key)
    if row is None or row.deleted:
        return None
    person = workspace_contacts.get_contact(tx, connection, row.contact_id)
    if person is None or person.deleted:
        return None
    (shown,) = _without_gone_tasks(tx, connection, [row])
    return shown


def _without_gone_tasks(
    tx: Connection, connection: ConnectionName, rows: Sequence[Activity]
) -> list[Activity]:
    named = {ActivityId(task_id) for row in rows if (task_id := text_of(row.values, TASK_ID))}
    tasks = get_activities(tx, connection, "task", named) if named else {}
    gone = {task_id for task_id in named if task_id not in tasks or tasks[task_id].deleted}
    return [
        row.model_copy(update={"values": {**row.values, TASK_ID: None}})
        if row.values.get(TASK_ID) in gone
        else row
        for row in rows
    ]
