"""Many contacts at once: tags and the business they belong to.

Source: the vendor's OpenAPI for contacts, and the answer printed there as an example.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts.contact_body import lower_tags
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import WRITE, change_tags
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

MOST_IDS = 50
TAGS: dict[str, Check] = {
    "contacts": body_checks.texts,
    "tags": body_checks.texts,
    "locationId": body_checks.filled,
    "removeAllTags": body_checks.flag,
}
BUSINESS: dict[str, Check] = {
    "locationId": body_checks.filled,
    "ids": body_checks.texts,
    "businessId": body_checks.text_or_null,
}


def update_tags(call: PassedCall) -> ApiAnswer:
    """Put tags on many contacts, or remove them; each contact has its own outcome."""
    body, kind = call.body, call.path["type"]
    check_body(body, TAGS, ["contacts", "tags", "locationId"])
    if kind not in {"add", "remove"}:
        raise RefusalError(400, "type must be one of the following values: add, remove")
    call.check_location(body["locationId"])
    outcomes = [_outcome(call, contact_id, kind) for contact_id in body["contacts"]]
    errors = sum(outcome["type"] == "error" for outcome in outcomes)
    return ApiAnswer({"succeded": True, "errorCount": errors, "responses": outcomes}, 201)


def _outcome(call: PassedCall, contact_id: str, kind: str) -> Json:
    contact = call.ghl.contacts.by_id.get(contact_id)
    if contact is None:
        return {"contactId": contact_id, "message": "contact is deleted", "type": "error"}
    before, tags = contact.tags, lower_tags(call.body["tags"])
    if kind == "remove":
        after = [] if call.body.get("removeAllTags") else [t for t in before if t not in tags]
    else:
        after = [*dict.fromkeys([*before, *tags])]
    change_tags(call.ghl, contact, after)
    return {
        "contactId": contact_id,
        "message": "Tags updated",
        "type": "success",
        "oldTags": before,
        "tagsAdded": [tag for tag in after if tag not in before],
        "tagsRemoved": [tag for tag in before if tag not in after],
    }


def update_business(call: PassedCall) -> ApiAnswer:
    """Assign up to 50 contacts to a business; null removes them from theirs."""
    body = call.body
    check_body(body, BUSINESS, ["locationId", "ids", "businessId"])
    call.check_location(body["locationId"])
    if len(body["ids"]) > MOST_IDS:
        raise RefusalError(422, [f"ids must contain no more than {MOST_IDS} elements"])
    business = call.ghl.setup.businesses.get(body["businessId"])
    if business is None and body["businessId"] is not None:
        raise RefusalError(422, ["businessId does not exist"])
    contacts = [_known(call, contact_id) for contact_id in body["ids"]]
    for contact in contacts:
        contact.business_id = body["businessId"]
        call.ghl.contacts.save(contact)
    return ApiAnswer({"success": True, "ids": body["ids"]})


def _known(call: PassedCall, contact_id: str) -> SandboxContact:
    contact = call.ghl.contacts.by_id.get(contact_id)
    if contact is None:
        raise not_found("Contact", contact_id)
    return contact


OPERATIONS = (
    VendorOperation(
        "create-association", "POST", "/contacts/bulk/tags/update/{type}", WRITE, update_tags
    ),
    VendorOperation(
        "add-remove-contact-from-business",
        "POST",
        "/contacts/bulk/business",
        WRITE,
        update_business,
    ),
)
