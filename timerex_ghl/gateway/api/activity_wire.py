"""A note and a task as the API writes and reads them."""

from pydantic import AwareDatetime, ConfigDict, Field

from timerex_ghl.domain.activities import (
    ASSIGNEE,
    BODY,
    TASK_ID,
    TEXT,
    TITLE,
    Activity,
    ActivityId,
    due_of,
)
from timerex_ghl.domain.activity_entry import NoteEntry, Status, TaskEntry, TaskId, status_of
from timerex_ghl.domain.booking_entry import When
from timerex_ghl.domain.models import ContactId, Record
from timerex_ghl.gateway.api.booking_wire import PersonId
from timerex_ghl.gateway.api.pages import PageQuery


class NoteDraft(NoteEntry):
    """A note to be added. Its contact is decided once."""

    model_config = ConfigDict(json_schema_extra={"required": ["contact_id", "text"]})

    contact_id: PersonId


class TaskDraft(TaskEntry):
    """A task to be added. Its contact is decided once."""

    model_config = ConfigDict(json_schema_extra={"required": ["contact_id", "title", "due_at"]})

    contact_id: PersonId


class ActivityView(Record):
    """What notes and tasks are shown with alike."""

    id: ActivityId
    contact_id: ContactId
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


class NoteView(ActivityView):
    """A note of the workspace.

    Attributes:
        task_id: The task it belongs to; null for none.
    """

    text: str
    task_id: ActivityId | None


class TaskView(ActivityView):
    """A task of the workspace.

    Attributes:
        due_at: Null only where the CRM told none.
        completed: The status is `completed`.
        assignee: E-mail of the CRM's user; null for nobody.
    """

    title: str
    body: str
    due_at: AwareDatetime | None
    status: Status
    completed: bool
    assignee: str | None


class ActivityQuery(PageQuery):
    """Which notes or tasks to list."""

    contact_id: PersonId | None = None
    updated_since: When | None = None


class NoteQuery(ActivityQuery):
    """Which notes to list."""

    task_id: TaskId | None = Field(None, description="Those that belong to this task.")


class TaskQuery(ActivityQuery):
    """Which tasks to list."""

    completed: bool | None = None


def view_of_note(row: Activity) -> NoteView:
    """Show a note."""
    task_id = row.values.get(TASK_ID)
    return NoteView(
        id=row.id,
        contact_id=row.contact_id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        text=row.values.get(TEXT) or "",
        task_id=ActivityId(task_id) if task_id else None,
    )


def view_of_task(row: Activity) -> TaskView:
    """Show a task."""
    status = status_of(row.values)
    return TaskView(
        id=row.id,
        contact_id=row.contact_id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        title=row.values.get(TITLE) or "",
        body=row.values.get(BODY) or "",
        due_at=due_of(row.values),
        status=status,
        completed=status == "completed",
        assignee=row.values.get(ASSIGNEE),
    )
