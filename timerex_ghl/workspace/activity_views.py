"""Notes and tasks in the API's JSON."""

from pydantic import AwareDatetime, ConfigDict, Field

from timerex_ghl.domain.activities.activity_entry import (
    NoteEntry,
    Status,
    TaskEntry,
    TaskId,
    status_of,
)
from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    TASK_ID,
    TEXT,
    TITLE,
    Activity,
    ActivityId,
    due_of,
)
from timerex_ghl.domain.bookings.booking_entry import When
from timerex_ghl.domain.shared.models import ContactId, Record
from timerex_ghl.workspace.booking_views import PersonId
from timerex_ghl.workspace.page_query import PageQuery


class NoteDraft(NoteEntry):
    """A note to add. Its contact never changes."""

    model_config = ConfigDict(json_schema_extra={"required": ["contact_id", "text"]})

    contact_id: PersonId


class TaskDraft(TaskEntry):
    """A task to add. Its contact never changes."""

    model_config = ConfigDict(json_schema_extra={"required": ["contact_id", "title", "due_at"]})

    contact_id: PersonId


class ActivityView(Record):
    """The common fields of notes and tasks."""

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
        due_at: Null only where the CRM has none.
        completed: Whether the status is `completed`.
        assignee: E-mail of the CRM's user; null for none.
    """

    title: str
    body: str
    due_at: AwareDatetime | None
    status: Status
    completed: bool
    assignee: str | None


class ActivityQuery(PageQuery):
    """Filters of a list of notes or tasks."""

    contact_id: PersonId | None = None
    updated_since: When | None = None


class NoteQuery(ActivityQuery):
    """Filters of a list of notes."""

    task_id: TaskId | None = Field(None, description="Only notes of this task.")


class TaskQuery(ActivityQuery):
    """Filters of a list of tasks."""

    completed: bool | None = None


def view_of_note(row: Activity) -> NoteView:
    """Return the API's view of a note."""
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
    """Return the API's view of a task."""
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
