"""Tasks of a contact. They have no time of creation or change; empty keys are left out.

Source: the vendor's OpenAPI for contacts; answers recorded in July 2026.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, new_id, parse_ms
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import DONE, ONE, READ, WRITE
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

TASK: dict[str, Check] = {
    "title": body_checks.filled,
    "body": body_checks.text,
    "dueDate": body_checks.date,
    "completed": body_checks.flag,
    "assignedTo": body_checks.text_or_null,
}


def write_task(task: Json, body: Json) -> None:
    """Change a task as a checked body says; the due date becomes UTC with milliseconds."""
    task.update(body)
    task["dueDate"] = iso_ms(parse_ms(task["dueDate"]) or 0)
    for key in [key for key, value in task.items() if value in (None, "")]:
        del task[key]


def list_tasks(call: PassedCall) -> ApiAnswer:
    """Return all tasks of a contact; there is no paging."""
    return ApiAnswer({"tasks": [*call.contact().tasks.values()]})


def get_task(call: PassedCall) -> ApiAnswer:
    """Return one task."""
    return ApiAnswer({"task": _task(call)})


def create_task(call: PassedCall) -> ApiAnswer:
    """Make a task."""
    contact = call.contact()
    check_body(call.body, TASK, ["title", "dueDate", "completed"])
    task: Json = {"id": new_id(), "contactId": contact.id}
    write_task(task, call.body)
    contact.tasks[task["id"]] = task
    call.ghl.contacts.show(contact)
    return ApiAnswer({"task": task}, 201)


def update_task(call: PassedCall) -> ApiAnswer:
    """Change what the body names."""
    task = _task(call)
    check_body(call.body, TASK)
    write_task(task, call.body)
    call.ghl.contacts.show(call.contact())
    return ApiAnswer({"task": task})


def complete_task(call: PassedCall) -> ApiAnswer:
    """Mark a task completed, or open again."""
    task = _task(call)
    check_body(call.body, {"completed": body_checks.flag}, ["completed"])
    task["completed"] = call.body["completed"]
    call.ghl.contacts.show(call.contact())
    return ApiAnswer({"task": task})


def delete_task(call: PassedCall) -> ApiAnswer:
    """Delete a task."""
    contact = call.contact()
    del contact.tasks[_task(call)["id"]]
    call.ghl.contacts.show(contact)
    return ApiAnswer(DONE)


def _task(call: PassedCall) -> Json:
    task_id = call.path["taskId"]
    task = call.contact().tasks.get(task_id)
    if task is None:
        raise not_found("Task", task_id, 404)
    return task


TASKS, TASK_PATH = f"{ONE}/tasks", f"{ONE}/tasks/{{taskId}}"
OPERATIONS = (
    VendorOperation("get-all-tasks", "GET", TASKS, READ, list_tasks),
    VendorOperation("create-task", "POST", TASKS, WRITE, create_task),
    VendorOperation("get-task", "GET", TASK_PATH, READ, get_task),
    VendorOperation("update-task", "PUT", TASK_PATH, WRITE, update_task),
    VendorOperation("update-task-completed", "PUT", f"{TASK_PATH}/completed", WRITE, complete_task),
    VendorOperation("delete-task", "DELETE", TASK_PATH, WRITE, delete_task),
)
