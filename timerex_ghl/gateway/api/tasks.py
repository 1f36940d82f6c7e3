"""`/tasks`: tasks of contacts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, Security

from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.domain.activities.activity_entry import TaskEntry
from timerex_ghl.gateway.api.activities import Activities, Id
from timerex_ghl.gateway.api.authentication import GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import ACTS, CHANGES, DELETES, LISTS, MAKES, READS
from timerex_ghl.gateway.api.once import IdempotencyKey
from timerex_ghl.gateway.api.pages import ApiPage
from timerex_ghl.gateway.api.versions import IfMatch
from timerex_ghl.workspace.activity_views import TaskDraft, TaskQuery, TaskView, view_of_task

router = APIRouter(
    prefix="/tasks", tags=["tasks"], route_class=GuardedRoute, dependencies=[Security(bearer)]
)
TASKS = Activities("task", view_of_task)


@router.get("", summary="List tasks", responses=LISTS)
async def list_tasks(caller: Here, query: Annotated[TaskQuery, Query()]) -> ApiPage[TaskView]:
    """List tasks by id."""
    wanted = WantedActivities(query.contact_id, None, query.completed, query.updated_since)
    return await TASKS.page(caller, wanted, query)


@router.post("", summary="Add a task", status_code=201, responses=MAKES, response_model=TaskView)
async def add_task(
    caller: Here, request: Request, draft: TaskDraft, key: IdempotencyKey = None
) -> Response:
    """Add a task to a contact. It is synced to the CRM."""
    return await TASKS.add(request, caller, draft, key)


@router.get("/{task_id}", summary="Read a task", responses=READS)
async def get_task(caller: Here, task_id: Id, response: Response) -> TaskView:
    """Read a task."""
    return await TASKS.read(caller, task_id, response)


@router.patch("/{task_id}", summary="Change a task", responses=CHANGES)
async def change_task(
    caller: Here, task_id: Id, change: TaskEntry, response: Response, if_match: IfMatch = None
) -> TaskView:
    """Change the sent fields. A request that changes nothing makes no new version."""
    return await TASKS.change(caller, task_id, change, response, if_match)


@router.post("/{task_id}/complete", summary="Complete a task", responses=ACTS)
async def complete_task(
    caller: Here, task_id: Id, response: Response, if_match: IfMatch = None
) -> TaskView:
    """Complete a task: the same as setting `completed`. No body is needed."""
    return await TASKS.change(caller, task_id, TaskEntry(completed=True), response, if_match)


@router.post("/{task_id}/reopen", summary="Reopen a task", responses=ACTS)
async def reopen_task(
    caller: Here, task_id: Id, response: Response, if_match: IfMatch = None
) -> TaskView:
    """Reopen a task. An open task is unchanged. No body is needed."""
    return await TASKS.change(caller, task_id, TaskEntry(completed=False), response, if_match)


@router.delete("/{task_id}", summary="Delete a task", status_code=204, responses=DELETES)
async def delete_task(caller: Here, task_id: Id, if_match: IfMatch = None) -> None:
    """Delete a task in the workspace and the CRM. Its notes stay."""
    await TASKS.delete(caller, task_id, if_match)
