"""Tasks of contacts. Their text is plain on our side, whatever markup GHL keeps."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, escaped, plain_text, time_of
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.ghl_models import GhlTask, GhlTaskId, GhlUserId
from timerex_ghl.domain.models import GhlContactId, Record

TASK_PAGE = 100
LONGEST_QUERY = 75
NAMES = {"due_at": "dueDate", "assigned_to": "assignedTo"}


class MoreOfTask(TypedDict, total=False):
    """What a task may have. GHL's files know no way to take it from whoever has it."""

    body: str
    completed: bool
    assigned_to: GhlUserId


class TaskChanges(MoreOfTask, total=False):
    """What of a task is changed."""

    title: str
    due_at: datetime


class NewTask(MoreOfTask):
    """A task to be made: GHL wants a title and a due date; it is open unless said otherwise."""

    title: str
    due_at: datetime


class TaskPage(Record):
    """Some of a location's tasks. `skip`: where the next page begins; None on the last one."""

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
        """Make a task.

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
        """Change what is named of a task, and nothing else.

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
        """Mark a task as done, or open it again.

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
        """Delete a task for good.

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
        """Read a page of the whole location's tasks: the only way without asking each contact.

        `words` stand in the title or the body; GHL takes 75 characters of them.

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
    """Read a task; empty keys are left out."""
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
    """Read a page. Only an empty one ends a search: GHL may give fewer than asked."""
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
    """Write a time as GHL does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
