"""GHL's webhooks of notes and tasks, parsed. Their values are untrusted: a notification only.

Source: the vendor's published webhook pages; docs issues 312 (a note has neither user nor title)
and 332 (a new task may come without its contact and body).
"""

import json
from typing import Any

from timerex_ghl.adapters.ghl.mappers import note_from
from timerex_ghl.adapters.ghl.tasks import task_from
from timerex_ghl.domain.activities.activity_fields import (
    BODY,
    COMPLETED,
    DUE_AT,
    TEXT,
    TITLE,
    YES,
    ActivityId,
    ActivityKind,
)
from timerex_ghl.domain.activities.activity_mapping import map_note, map_task
from timerex_ghl.domain.shared.models import FieldName, GhlContactId, Record

DELETES = frozenset({"NoteDelete", "TaskDelete"})
READ_TYPES = {TEXT: "body", TITLE: "title", BODY: "body", DUE_AT: "dueDate"}
"""The event keys of our fields. A task's assignee is not compared."""


class ActivityNotification(Record):
    """What an event says about a note or task.

    Attributes:
        contact_id: None where the event has none.
        title: As received, to search for a task by; empty where there is none.
        values: Only the fields in the event.
        is_delete: The event says that the record was deleted.
    """

    kind: ActivityKind
    id: str
    contact_id: GhlContactId | None
    title: str
    values: dict[FieldName, str | None]
    marker: ActivityId | None
    is_delete: bool


def read_activity_notification(kind: ActivityKind, type_: str, body: str) -> ActivityNotification:
    """Parse the body of an event; fields it lacks are unknown."""
    payload: dict[str, Any] = json.loads(body)
    contact_id = payload.get("contactId") or None
    owner = GhlContactId(str(contact_id)) if contact_id else GhlContactId("")
    mapped = (
        map_note(note_from(payload, owner))
        if kind == "note"
        else map_task(task_from(payload, owner))
    )
    values = {
        f: v for f, v in mapped.values.items() if f in READ_TYPES and READ_TYPES[f] in payload
    }
    if type_ == "TaskComplete":
        values[COMPLETED] = YES
    return ActivityNotification(
        kind=kind,
        id=mapped.id,
        contact_id=owner or None,
        title=str(payload.get("title") or ""),
        values=values,
        marker=mapped.marker,
        is_delete=type_ in DELETES,
    )
