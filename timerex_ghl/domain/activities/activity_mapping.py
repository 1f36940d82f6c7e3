"""Map GHL's notes and tasks to our fields."""

import json
from collections.abc import Mapping
from hashlib import blake2b

from pydantic import AwareDatetime

from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    DUE_AT,
    NO,
    TEXT,
    TITLE,
    YES,
    ActivityId,
    ActivityKind,
    compare_form,
    split_marker,
    time_text,
)
from timerex_ghl.domain.shared.ghl_models import GhlTask, GhlUserId
from timerex_ghl.domain.shared.models import FieldName, GhlContactId, GhlNote, Record


class GhlActivity(Record):
    """A note or task as GHL has it, in our fields.

    Attributes:
        contact_id: None where a search did not return it.
        values: A field that is absent was not received, or cannot be mapped.
        marker: The id in the marker at the end of its text; the text in `values` is without it.
        digest: Equal for equal values of the same contact.
        created_at: When it was written; None where GHL does not say, as for tasks.
    """

    kind: ActivityKind
    id: str
    contact_id: GhlContactId | None
    values: dict[FieldName, str | None]
    marker: ActivityId | None
    digest: str
    created_at: AwareDatetime | None = None


def map_note(note: GhlNote) -> GhlActivity:
    """Map a note to our fields."""
    text, marker = split_marker(note.text)
    values: dict[FieldName, str | None] = {TEXT: text}
    return GhlActivity(
        kind="note",
        id=note.id,
        contact_id=note.contact_id,
        values=values,
        marker=marker,
        digest=_digest(values, note.contact_id),
        created_at=note.created_at,
    )


def map_task(task: GhlTask, emails: Mapping[GhlUserId, str] | None = None) -> GhlActivity:
    """Map a task to our fields.

    Args:
        task: As GHL returned it.
        emails: E-mails of the location's users. An assignee who is not among them, or has none,
            counts as not received.
    """
    body, marker = split_marker(task.body)
    values: dict[FieldName, str | None] = {
        TITLE: task.title or None,
        BODY: body or None,
        DUE_AT: None if task.due_at is None else time_text(task.due_at),
        COMPLETED: YES if task.completed else NO,
    }
    digest = _digest({**values, ASSIGNEE: task.assigned_to}, task.contact_id)
    if task.assigned_to is None:
        values[ASSIGNEE] = None
    elif email := (emails or {}).get(task.assigned_to):
        values[ASSIGNEE] = email
    return GhlActivity(
        kind="task",
        id=task.id,
        contact_id=task.contact_id,
        values=values,
        marker=marker,
        digest=digest,
    )


def _digest(values: Mapping[FieldName, str | None], contact_id: GhlContactId | None) -> str:
    said = {field: compare_form(field, value) for field, value in values.items()}
    packed = json.dumps([said, contact_id], sort_keys=True, ensure_ascii=False)
    return blake2b(packed.encode(), digest_size=16).hexdigest()
