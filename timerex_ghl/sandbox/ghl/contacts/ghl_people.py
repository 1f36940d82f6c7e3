"""Followers and workflows of a contact.

Source: the vendor's OpenAPI for contacts; answers recorded in July 2026.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import DONE, ONE, WRITE
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

FOLLOWERS: dict[str, Check] = {"followers": body_checks.texts}
ENROLMENT: dict[str, Check] = {"eventStartTime": body_checks.date}


def add_followers(call: PassedCall) -> ApiAnswer:
    """Add followers to a contact; existing ones are ignored."""
    contact = call.contact()
    check_body(call.body, FOLLOWERS, ["followers"])
    added = [
        user for user in dict.fromkeys(call.body["followers"]) if user not in contact.followers
    ]
    _follow(call, contact, [*contact.followers, *added])
    return ApiAnswer({"followers": contact.followers, "followersAdded": added}, 201)


def remove_followers(call: PassedCall) -> ApiAnswer:
    """Remove followers from a contact."""
    contact = call.contact()
    check_body(call.body, FOLLOWERS, ["followers"])
    removed = [user for user in contact.followers if user in call.body["followers"]]
    _follow(call, contact, [user for user in contact.followers if user not in removed])
    return ApiAnswer({"followers": contact.followers, "followersRemoved": removed})


def _follow(call: PassedCall, contact: SandboxContact, followers: list[str]) -> None:
    if followers != contact.followers:
        contact.followers = followers
        call.ghl.contacts.save(contact)


def enrol(call: PassedCall) -> ApiAnswer:
    """Start a workflow for a contact."""
    contact, workflow_id = _enrolment(call)
    contact.workflow_ids = [*dict.fromkeys([*contact.workflow_ids, workflow_id])]
    return ApiAnswer(DONE)


def withdraw(call: PassedCall) -> ApiAnswer:
    """End a workflow for a contact."""
    contact, workflow_id = _enrolment(call)
    contact.workflow_ids = [known for known in contact.workflow_ids if known != workflow_id]
    return ApiAnswer(DONE)


def _enrolment(call: PassedCall) -> tuple[SandboxContact, str]:
    contact, workflow_id = call.contact(), call.path["workflowId"]
    check_body(call.body, ENROLMENT)
    if workflow_id not in call.ghl.setup.workflows:
        raise not_found("Workflow", workflow_id)
    return contact, workflow_id


def list_workflows(call: PassedCall) -> ApiAnswer:
    """Return the location's workflows."""
    query = call.read_query({"locationId": body_checks.text}, "locationId")
    workflows = [
        {**workflow, "locationId": query["locationId"]}
        for workflow in call.ghl.setup.workflows.values()
    ]
    return ApiAnswer({"workflows": workflows})


FOLLOWED, WORKFLOW = f"{ONE}/followers", f"{ONE}/workflow/{{workflowId}}"
OPERATIONS = (
    VendorOperation("add-followers-contact", "POST", FOLLOWED, WRITE, add_followers),
    VendorOperation("remove-followers-contact", "DELETE", FOLLOWED, WRITE, remove_followers),
    VendorOperation("add-contact-to-workflow", "POST", WORKFLOW, WRITE, enrol),
    VendorOperation("delete-contact-from-workflow", "DELETE", WORKFLOW, WRITE, withdraw),
    VendorOperation("get-workflow", "GET", "/workflows/", "workflows.readonly", list_workflows),
)
