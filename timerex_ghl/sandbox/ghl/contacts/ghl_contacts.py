"""Contacts: create, read, change, delete, upsert, tags.

Source: the vendor's OpenAPI for contacts, version 2021-07-28.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer
from timerex_ghl.sandbox.core.body_checks import check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, now_ms
from timerex_ghl.sandbox.ghl.contacts import contact_shapes
from timerex_ghl.sandbox.ghl.contacts.contact_body import (
    CREATE,
    UPDATE,
    UPSERT,
    lower_tags,
    write_body,
)
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.duplicates import owners, refuse_taken
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

DONE: Json = {"succeded": True, "succeeded": True}


def add_contact(call: PassedCall, body: Json) -> SandboxContact:
    """Make a contact from a checked body. Country and type have the location's defaults."""
    oauth = call.access.kind == "oauth"
    created_by = {
        "source": "INTEGRATION",
        "channel": "OAUTH" if oauth else "PRIVATE_INTEGRATION",
        "sourceId": call.access.app if oauth else "sandbox",
        "timestamp": iso_ms(now_ms()),
    }
    contact = SandboxContact(call.ghl.location.id, created_by)
    write_body(call.ghl, contact, {"country": call.ghl.location.country, "type": "lead", **body})
    call.ghl.contacts.save(contact)
    return contact


def create_contact(call: PassedCall) -> ApiAnswer:
    """Create a contact, unless another one has its e-mail or phone."""
    check_body(call.body, CREATE, ["locationId"])
    call.check_location(call.body["locationId"])
    refuse_taken(call.ghl, call.body)
    return ApiAnswer({"contact": contact_shapes.created(add_contact(call, call.body))}, 201)


def get_contact(call: PassedCall) -> ApiAnswer:
    """Return one contact."""
    return ApiAnswer({"contact": contact_shapes.got(call.contact())})


def update_contact(call: PassedCall) -> ApiAnswer:
    """Change what the body names. Tags in it replace all tags."""
    contact = call.contact()
    check_body(call.body, UPDATE)
    refuse_taken(call.ghl, call.body, own=contact)
    write_body(call.ghl, contact, call.body)
    call.ghl.contacts.save(contact)
    return ApiAnswer({**DONE, "contact": contact_shapes.got(contact)})


def delete_contact(call: PassedCall) -> ApiAnswer:
    """Delete a contact with its notes and tasks."""
    call.ghl.contacts.delete(call.contact().id)
    return ApiAnswer(DONE)


def upsert_contact(call: PassedCall) -> ApiAnswer:
    """Change the first contact with the e-mail or the phone, or create one.

    If a second contact has the other key, that key is silently dropped.
    """
    check_body(call.body, UPSERT, ["locationId"])
    call.check_location(call.body["locationId"])
    body = {key: value for key, value in call.body.items() if key != "gender"}
    always_new = body.get("createNewIfDuplicateAllowed") and call.ghl.location.allow_duplicates
    found = [] if always_new else owners(call.ghl, body)
    if not found:
        contact = add_contact(call, body)
    else:
        contact = found[0][1]
        taken = {field for field, other in found if other.id != contact.id}
        kept = {key: value for key, value in body.items() if key not in taken}
        write_body(call.ghl, contact, kept)
        call.ghl.contacts.save(contact)
    return ApiAnswer({"new": not found, "contact": contact_shapes.got(contact), "succeeded": True})


def add_tags(call: PassedCall) -> ApiAnswer:
    """Add tags to a contact; existing ones are ignored."""
    contact, tags = call.contact(), _tags(call)
    added = [tag for tag in tags if tag not in contact.tags]
    change_tags(call.ghl, contact, [*contact.tags, *added])
    return ApiAnswer({"tags": contact.tags, "tagsAdded": added}, 201)


def remove_tags(call: PassedCall) -> ApiAnswer:
    """Remove tags from a contact; missing ones are ignored."""
    contact, tags = call.contact(), _tags(call)
    removed = [tag for tag in tags if tag in contact.tags]
    change_tags(call.ghl, contact, [tag for tag in contact.tags if tag not in removed])
    return ApiAnswer({"tags": contact.tags, "tagsRemoved": removed})


def change_tags(ghl: Ghl, contact: SandboxContact, tags: list[str]) -> None:
    """Set a contact's tags. If they are unchanged, `dateUpdated` stays."""
    if tags != contact.tags:
        contact.tags = tags
        ghl.contacts.save(contact)


def _tags(call: PassedCall) -> list[str]:
    check_body(call.body, {"tags": body_checks.texts}, ["tags"])
    return lower_tags(call.body["tags"])


READ, WRITE = "contacts.readonly", "contacts.write"
ONE = "/contacts/{contactId}"
OPERATIONS = (
    VendorOperation("create-contact", "POST", "/contacts/", WRITE, create_contact),
    VendorOperation("upsert-contact", "POST", "/contacts/upsert", WRITE, upsert_contact),
    VendorOperation("get-contact", "GET", ONE, READ, get_contact),
    VendorOperation("update-contact", "PUT", ONE, WRITE, update_contact),
    VendorOperation("delete-contact", "DELETE", ONE, WRITE, delete_contact),
    VendorOperation("add-tags", "POST", f"{ONE}/tags", WRITE, add_tags),
    VendorOperation("remove-tags", "DELETE", f"{ONE}/tags", WRITE, remove_tags),
)
