"""Who follows a contact, and which workflows it runs through.

Source: the vendor's OpenAPI for contacts; answers recorded in July 2026.
"""

from timerex_ghl.sandbox import checks
from timerex_ghl.sandbox.answers import Answer, not_found
from timerex_ghl.sandbox.checks import Check, check_body
from timerex_ghl.sandbox.contact_store import Contact
from timerex_ghl.sandbox.ghl_contacts import DONE, ONE, WRITE
from timerex_ghl.sandbox.operations import Call, Operation

FOLLOWERS: dict[str, Check] = {"followers": checks.texts}
ENROLMENT: dict[str, Check] = {"eventStartTime": checks.date}


def add_followers(call: Call) -> Answer:
    """Let users follow a contact; one who does already is no fault."""
    contact = call.contact()
    check_body(call.body, FOLLOWERS, ["followers"])
    added = [
        user for user in dict.fromkeys(call.body["followers"]) if user not in contact.followers
    ]
    _follow(call, contact, [*contact.followers, *added])
    return Answer({"followers": contact.followers, "followersAdded": added}, 201)


def remove_followers(call: Call) -> Answer:
    """Let users follow a contact no longer."""
    contact = call.contact()
    check_body(call.body, FOLLOWERS, ["followers"])
    removed = [user for user in contact.followers if user in call.body["followers"]]
    _follow(call, contact, [user for user in contact.followers if user not in removed])
    return Answer({"followers": contact.followers, "followersRemoved": removed})


def _follow(call: Call, contact: Contact, followers: list[str]) -> None:
    if followers != contact.followers:
        contact.followers = followers
        call.ghl.contacts.save(contact)


def enrol(call: Call) -> Answer:
    """Start a workflow for a contact."""
    contact, workflow_id = _enrolment(call)
    contact.workflow_ids = [*dict.fromkeys([*contact.workflow_ids, workflow_id])]
    return Answer(DONE)


def withdraw(call: Call) -> Answer:
    """End a workflow for a contact."""
    contact, workflow_id = _enrolment(call)
    contact.workflow_ids = [known for known in contact.workflow_ids if known != workflow_id]
    return Answer(DONE)


def _enrolment(call: Call) -> tuple[Contact, str]:
    contact, workflow_id = call.contact(), call.path["workflowId"]
    check_body(call.body, ENROLMENT)
    if workflow_id not in call.ghl.setup.workflows:
        raise not_found("Workflow", workflow_id)
    return contact, workflow_id


def list_workflows(call: Call) -> Answer:
    """Give the location's workflows."""
    query = call.read_query({"locationId": checks.text}, "locationId")
    workflows = [
        {**workflow, "locationId": query["locationId"]}
        for workflow in call.ghl.setup.workflows.values()
    ]
    return Answer({"workflows": workflows})


FOLLOWED, WORKFLOW = f"{ONE}/followers", f"{ONE}/workflow/{{workflowId}}"
OPERATIONS = (
    Operation("add-followers-contact", "POST", FOLLOWED, WRITE, add_followers),
    Operation("remove-followers-contact", "DELETE", FOLLOWED, WRITE, remove_followers),
    Operation("add-contact-to-workflow", "POST", WORKFLOW, WRITE, enrol),
    Operation("delete-contact-from-workflow", "DELETE", WORKFLOW, WRITE, withdraw),
    Operation("get-workflow", "GET", "/workflows/", "workflows.readonly", list_workflows),
)
