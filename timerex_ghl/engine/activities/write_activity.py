"""Write a note or task to GHL, in GHL's terms."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from timerex_ghl.adapters.ghl.tasks import TaskChanges
from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    DUE_AT,
    TEXT,
    TITLE,
    YES,
    ActivityId,
    due_of,
    is_same_value,
    with_marker,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity, map_note, map_task
from timerex_ghl.domain.shared.actions import (
    ActivityAction,
    CreateActivity,
    DeleteActivity,
    UpdateActivity,
)
from timerex_ghl.domain.shared.ghl_models import GhlTaskId, GhlUserId
from timerex_ghl.domain.shared.models import FieldName, GhlNoteId
from timerex_ghl.engine.activities.claim_activity import ActivityClaim
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.write import Written, send_write

Emails = Mapping[GhlUserId, str]


class Gone(NamedTuple):
    """What a delete returns: the id that the record had in GHL."""

    id: str


async def create_activity(
    context: SyncContext,
    claim: ActivityClaim,
    action: CreateActivity,
    emails: Emails,
    find: Callable[[], Awaitable[GhlActivity | None]],
) -> Written[GhlActivity]:
    """Create a note or task in GHL; return it as GHL has it then.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the record.
        action: What to write.
        emails: E-mail addresses of the location's users.
        find: Finds it by its marker, where GHL refused the create.
    """

    async def send() -> GhlActivity:
        values, id_ = action.values, action.activity_id
        if action.kind == "note.create":
            text = with_marker(values.get(TEXT) or "", id_)
            return map_note(await context.ghl.create_note(action.contact_id, text))
        task: dict[str, Any] = {**_task_of(values, emails, id_)}
        task.setdefault("body", with_marker("", id_))
        return map_task(await context.ghl.create_task(action.contact_id, **task), emails)

    return await send_write(context, claim, action, send, find=find)


async def update_activity(
    context: SyncContext,
    claim: ActivityClaim,
    action: UpdateActivity,
    emails: Emails,
    *,
    marker: ActivityId | None,
) -> Written[GhlActivity]:
    """Write the changes of a note or task to GHL; return it as GHL has it then.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the record.
        action: What to write.
        emails: E-mail addresses of the location's users.
        marker: The marker at the end of its text in GHL, which stays there.
    """

    async def send() -> GhlActivity:
        values, contact_id = action.values, action.contact_id
        if action.kind == "note.update":
            text = values.get(TEXT) or ""
            text = text if marker is None else with_marker(text, marker)
            note_id = GhlNoteId(action.remote_id)
            return map_note(await context.ghl.update_note(contact_id, note_id, text))
        task_id = GhlTaskId(action.remote_id)
        if action.kind == "task.complete":
            is_done = values.get(COMPLETED) == YES
            task = await context.ghl.complete_task(contact_id, task_id, completed=is_done)
        else:
            changes = _task_of(values, emails, marker)
            task = await context.ghl.update_task(contact_id, task_id, **changes)
        return map_task(task, emails)

    return await send_write(context, claim, action, send)


async def delete_activity(
    context: SyncContext, claim: ActivityClaim, action: DeleteActivity
) -> Written[Gone]:
    """Delete a note or task in GHL."""

    async def send() -> Gone:
        if action.kind == "note.delete":
            await context.ghl.delete_note(action.contact_id, GhlNoteId(action.remote_id))
        else:
            await context.ghl.delete_task(action.contact_id, GhlTaskId(action.remote_id))
        return Gone(action.remote_id)

    return await send_write(context, claim, action, send)


def is_shown(action: ActivityAction, remote: GhlActivity | None) -> bool:
    """Return whether GHL shows the effect of an action.

    An update is sent as a whole: where GHL shows one of its values, the others were edited since.
    """
    match action:
        case DeleteActivity():
            return remote is None
        case CreateActivity():
            return remote is not None
        case UpdateActivity(values=values):
            return remote is not None and any(
                is_same_value(field, remote.values.get(field), value)
                for field, value in values.items()
            )


def _task_of(
    values: Mapping[FieldName, str | None], emails: Emails, marker: ActivityId | None
) -> TaskChanges:
    """Return a task's fields as the client takes them."""
    changes: TaskChanges = {}
    if title := values.get(TITLE):
        changes["title"] = title
    if BODY in values:
        body = values[BODY] or ""
        changes["body"] = body if marker is None else with_marker(body, marker)
    if DUE_AT in values and (due_at := due_of(values)) is not None:
        changes["due_at"] = due_at
    if COMPLETED in values:
        changes["completed"] = values[COMPLETED] == YES
    ids = {email: user_id for user_id, email in emails.items()}
    if (user_id := ids.get(values.get(ASSIGNEE) or "")) is not None:
        changes["assigned_to"] = user_id
    return changes
