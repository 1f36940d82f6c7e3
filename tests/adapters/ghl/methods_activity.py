"""Cases of the methods for tasks, and of the deprecated contact lists."""

from datetime import UTC, datetime

from tests.adapters.ghl.case import MethodCase
from tests.adapters.ghl.line import RIKU
from timerex_ghl.adapters.ghl.lists import StartAfter
from timerex_ghl.domain.shared.ghl_models import GhlTaskId, GhlUserId

TASK, KANA = GhlTaskId("task1"), GhlUserId("kana1")
AT = datetime(2026, 2, 10, 1, tzinfo=UTC)
LISTED = {
    "id": "riku1",
    "locationId": "locAoba",
    "firstName": "riku",
    "firstNameRaw": "Riku",
    "dateAdded": "2026-02-03T05:00:00.000Z",
}
TASKED = {
    "id": "task1",
    "title": "Call back",
    "body": "<p>Tea &amp; talk</p>",
    "dueDate": "2026-02-10T01:00:00.000Z",
    "completed": False,
    "contactId": "riku1",
}
TASK_CASES = {
    "list_tasks": MethodCase(
        lambda ghl: ghl.list_tasks(RIKU),
        "GET",
        "/contacts/riku1/tasks",
        {"tasks": [TASKED]},
        lambda tasks: [(one.id, one.body, one.due_at, one.assigned_to) for one in tasks],
        [("task1", "Tea & talk", AT, None)],
    ),
    "get_task": MethodCase(
        lambda ghl: ghl.get_task(RIKU, TASK),
        "GET",
        "/contacts/riku1/tasks/task1",
        {"task": {**TASKED, "assignedTo": "kana1"}},
        lambda task: (task.title, task.completed, task.assigned_to),
        ("Call back", False, "kana1"),
    ),
    "create_task": MethodCase(
        lambda ghl: ghl.create_task(RIKU, title="Call back", due_at=AT, body="<b>Tea</b>"),
        "POST",
        "/contacts/riku1/tasks",
        {"task": TASKED},
        lambda task: task.id,
        "task1",
        body={
            "title": "Call back",
            "dueDate": "2026-02-10T01:00:00.000Z",
            "body": "&lt;b&gt;Tea&lt;/b&gt;",
            "completed": False,
        },
    ),
    "update_task": MethodCase(
        lambda ghl: ghl.update_task(RIKU, TASK, due_at=AT, assigned_to=KANA),
        "PUT",
        "/contacts/riku1/tasks/task1",
        {"task": TASKED},
        lambda task: task.contact_id,
        "riku1",
        body={"dueDate": "2026-02-10T01:00:00.000Z", "assignedTo": "kana1"},
    ),
    "create_task, with all there is": MethodCase(
        lambda ghl: ghl.create_task(
            RIKU, title="Call back", due_at=AT, body="Tea", completed=True, assigned_to=KANA
        ),
        "POST",
        "/contacts/riku1/tasks",
        {"task": TASKED},
        lambda task: task.id,
        "task1",
        body={
            "title": "Call back",
            "dueDate": "2026-02-10T01:00:00.000Z",
            "body": "Tea",
            "completed": True,
            "assignedTo": "kana1",
        },
    ),
    "update_task, with all there is": MethodCase(
        lambda ghl: ghl.update_task(
            RIKU, TASK, title="Call", due_at=AT, body="Tea", completed=True, assigned_to=KANA
        ),
        "PUT",
        "/contacts/riku1/tasks/task1",
        {"task": TASKED},
        lambda task: task.id,
        "task1",
        body={
            "title": "Call",
            "dueDate": "2026-02-10T01:00:00.000Z",
            "body": "Tea",
            "completed": True,
            "assignedTo": "kana1",
        },
    ),
    "complete_task": MethodCase(
        lambda ghl: ghl.complete_task(RIKU, TASK, completed=False),
        "PUT",
        "/contacts/riku1/tasks/task1/completed",
        {"task": TASKED},
        lambda task: (task.completed,),
        (False,),
        body={"completed": False},
    ),
    "delete_task": MethodCase(
        lambda ghl: ghl.delete_task(RIKU, TASK),
        "DELETE",
        "/contacts/riku1/tasks/task1",
        {"succeded": True},
        lambda _: None,
        None,
    ),
    "search_tasks": MethodCase(
        lambda ghl: ghl.search_tasks(contact_ids=[RIKU], completed=False, skip=100),
        "POST",
        "/locations/locAoba/tasks/search",
        {"tasks": [{**TASKED, "id": None, "_id": "task1", "contactId": None}]},
        lambda page: ([(one.id, one.contact_id) for one in page.tasks], page.skip),
        ([("task1", None)], 101),
        body={"limit": 100, "skip": 100, "contactId": ["riku1"], "completed": False},
    ),
    "search_tasks, the end": MethodCase(
        lambda ghl: ghl.search_tasks(),
        "POST",
        "/locations/locAoba/tasks/search",
        {"tasks": []},
        lambda page: page.skip,
        None,
        body={"limit": 100, "skip": 0},
    ),
}

LIST_CASES = {
    "list_business_contacts": MethodCase(
        lambda ghl: ghl.list_business_contacts("biz1", skip=100),
        "GET",
        "/contacts/business/biz1",
        {"contacts": [LISTED], "count": 101},
        lambda found: [one.values["firstName"] for one in found],
        ["Riku"],
        query={"locationId": "locAoba", "limit": "100", "skip": "100"},
    ),
    "list_contacts": MethodCase(
        lambda ghl: ghl.list_contacts(StartAfter(1770000000000, RIKU)),
        "GET",
        "/contacts/",
        {"contacts": [LISTED], "count": 1},
        lambda page: (page.contacts[0].id, page.after),
        ("riku1", (1770094800000, "riku1")),
        query={
            "locationId": "locAoba",
            "limit": "100",
            "startAfter": "1770000000000",
            "startAfterId": "riku1",
        },
    ),
    "list_contacts, the end": MethodCase(
        lambda ghl: ghl.list_contacts(),
        "GET",
        "/contacts/",
        {"contacts": [], "count": 0},
        lambda page: page.after,
        None,
        query={"locationId": "locAoba", "limit": "100"},
    ),
}
