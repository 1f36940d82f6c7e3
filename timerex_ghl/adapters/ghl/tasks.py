"""Tasks of contacts. Their text is plain in the workspace, whatever markup GHL stores."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, escaped, plain_text, time_of
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.shared.ghl_models import GhlTask, GhlTaskId, GhlUserId
from timerex_ghl.domain.shared.models import GhlContactId, Record

TASK_PAGE = 100
LONGEST_QUERY = 75
NAMES = {"due_at": "dueDate", "assigned_to": "assignedTo"}


class MoreOfTask(TypedDict, total=False):
    """Optional fields of a task. GHL's API documents no way to remove an assignee."""

    body: str
    completed: bool
    assigned_to: GhlUserId


class TaskChanges(MoreOfTask, total=False):
    """The fields of a task to change."""

    title: str
    due_at: datetime


class NewTask(MoreOfTask):
    """A task to create. GHL requires a title and a due date; the task is open by default."""

    title: str
    due_at: datetime


class TaskPage(Record):
    """One page of a location's tasks. `skip`: where the next begins; None on the last page."""

    tasks: tuple[GhlTask, ...]
    skip: int | None


class TaskCalls(GhlTransport):
    """The tasks of one location."""

    async def list_tasks(self, contact_id: GhlContactId) -> list[GhlTask]:
        """List a contact's tasks.

        Source: GET /contacts/{contactId}/tasks, which has no pages.
        """
        return await self.send(
            ops.LIST_TASKS,
            lambda answer: [task_from(task, contact_id) for task in answer["tasks"] or ()],
            contact=contact_id,
        )

    async def get_task(self, contact_id: GhlContactId, task_id: GhlTaskId) -> GhlTask:
        """Read a task.

        Source: GET /contacts/{contactId}/tasks/{taskId}.
        """
        return await self.send(
            ops.GET_TASK,
            lambda answer: task_from(answer["task"], contact_id),
            contact=contact_id,
            task=task_id,
        )

    async def create_task(self, contact_id: GhlContactId, **task: Unpack[NewTask]) -> GhlTask:
        """Create a task.

        Source: POST /contacts/{contactId}/tasks.
        """
        body = {"completed": False, **_body_of(task)}
        return await self.send(
            ops.CREATE_TASK,
            lambda answer: task_from(answer["task"], contact_id),
            body=body,
            contact=contact_id,
        )

    async def update_task(
        self, contact_id: GhlContactId, task_id: GhlTaskId, **changes: Unpack[TaskChanges]
    ) -> GhlTask:
        """Change the given fields of a task.

        Source: PUT /contacts/{contactId}/tasks/{taskId}.
        """
        return await self.send(
            ops.UPDATE_TASK,
            lambda answer: task_from(answer["task"], contact_id),
            body=_body_of(changes),
            contact=contact_id,
            task=task_id,
        )

    async def complete_task(
        self, contact_id: GhlContactId, task_id: GhlTaskId, *, completed: bool = True
    ) -> GhlTask:
        """Complete a task, or reopen it.

        Source: PUT /contacts/{contactId}/tasks/{taskId}/completed.
        """
        return await self.send(
            ops.COMPLETE_TASK,
            lambda answer: task_from(answer["task"], contact_id),
            body={"completed": completed},
            contact=contact_id,
            task=task_id,
        )

    async def delete_task(self, contact_id: GhlContactId, task_id: GhlTaskId) -> None:
        """Delete a task permanently.

        Source: DELETE /contacts/{contactId}/tasks/{taskId}.
        """
        await self.send(ops.DELETE_TASK, dict, contact=contact_id, task=task_id)

    async def search_tasks(
        self,
        *,
        contact_ids: Collection[GhlContactId] = (),
        completed: bool | None = None,
        words: str = "",
        skip: int = 0,
        limit: int = TASK_PAGE,
    ) -> TaskPage:
        """Read a page of the whole location's tasks: the only call that needs no contact id.

        `words` are searched in title and body; GHL accepts at most 75 characters.

        Source: POST /locations/{locationId}/tasks/search; its items have no published schema.
        """
        body: dict[str, Any] = {"limit": limit, "skip": skip}
        if contact_ids:
            body["contactId"] = [*contact_ids]
        if completed is not None:
            body["completed"] = completed
        if words:
            body["query"] = words[:LONGEST_QUERY]
        return await self.send(
            ops.SEARCH_TASKS,
            lambda answer: _page(answer, skip),
            body=body,
            location=self.location_id,
        )


def task_from(body: Json, contact_id: GhlContactId | None) -> GhlTask:
    """Parse a task; GHL leaves out empty fields."""
    owner = body.get("contactId") or contact_id
    assigned_to = body.get("assignedTo")
    return GhlTask(
        id=GhlTaskId(str(body.get("id") or body["_id"])),
        contact_id=GhlContactId(str(owner)) if owner else None,
        title=str(body.get("title") or ""),
        body=plain_text(str(body.get("body") or "")),
        due_at=time_of(body.get("dueDate")),
        completed=bool(body.get("completed")),
        assigned_to=GhlUserId(str(assigned_to)) if assigned_to else None,
    )


def _page(answer: Json, skip: int) -> TaskPage:
    """Parse a page. Only an empty page is the last one: GHL may return fewer than asked."""
    found: list[Json] = answer["tasks"] or []
    return TaskPage(
        tasks=tuple(task_from(task, None) for task in found),
        skip=skip + len(found) if found else None,
    )


def _body_of(task: TaskChanges | NewTask) -> dict[str, Any]:
    body: dict[str, Any] = {NAMES.get(name, name): value for name, value in task.items()}
    if "body" in task:
        body["body"] = escaped(task["body"])
    if "due_at" in task:
        body["dueDate"] = iso(task["due_at"])
    return body


def iso(at: datetime) -> str:
    """Format a time as GHL does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
