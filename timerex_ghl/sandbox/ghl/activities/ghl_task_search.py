"""All tasks of a location: the only way to list them without a call per contact.

Source: POST /locations/{locationId}/tasks/search; its items have no published schema.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.location.ghl_location import LOCATION
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

SEARCH: dict[str, Check] = {
    "contactId": body_checks.texts,
    "completed": body_checks.flag,
    "assignedTo": body_checks.texts,
    "query": body_checks.text,
    "limit": body_checks.whole,
    "skip": body_checks.whole,
    "businessId": body_checks.text,
}
PAGE = 25
LARGEST_PAGE = 100


def search_tasks(call: PassedCall) -> ApiAnswer:
    """Return a page of tasks, those of the longest unchanged contact first. It lags like search."""
    body = call.body
    call.check_location(call.path["locationId"])
    check_body(body, SEARCH)
    found = [
        {**task, "_id": task["id"], "locationId": contact.location_id}
        for contact in call.ghl.contacts.index.in_order()
        if _is_wanted(contact, body)
        for task in contact.tasks.values()
        if _fits(task, body)
    ]
    skip, limit = body.get("skip", 0), min(body.get("limit", PAGE), LARGEST_PAGE)
    return ApiAnswer({"tasks": found[skip : skip + limit]})


def _is_wanted(contact: SandboxContact, body: Json) -> bool:
    wanted = not body.get("contactId") or contact.id in body["contactId"]
    return wanted and body.get("businessId", contact.business_id) == contact.business_id


def _fits(task: Json, body: Json) -> bool:
    words = body.get("query", "").lower()
    return (
        body.get("completed", task["completed"]) == task["completed"]
        and (not body.get("assignedTo") or task.get("assignedTo") in body["assignedTo"])
        and words in f"{task['title']} {task.get('body', '')}".lower()
    )


OPERATIONS = (
    VendorOperation(
        "task-search",
        "POST",
        f"{LOCATION}/tasks/search",
        "locations/tasks.readonly",
        search_tasks,
    ),
)
