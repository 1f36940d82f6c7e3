"""Businesses: the companies that contacts belong to.

Source: the vendor's OpenAPI for businesses, its misspelt `buiseness` in the answers to writes
included.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, new_id, now_ms
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

TEXTS = ("phone", "website", "address", "city", "postalCode", "state", "country", "description")
CHANGE: dict[str, Check] = {
    "name": body_checks.filled,
    "email": body_checks.email,
    **dict.fromkeys(TEXTS, body_checks.text),
}
CREATE = {**CHANGE, "locationId": body_checks.filled}
LIST: dict[str, Check] = {
    "locationId": body_checks.text,
    "limit": body_checks.digits,
    "skip": body_checks.digits,
}
MOST = 100


def list_businesses(call: PassedCall) -> ApiAnswer:
    """Return a page of businesses."""
    query = call.read_query(LIST, "locationId")
    skip, limit = int(query.get("skip", "0")), min(int(query.get("limit", "100")), MOST)
    found = [*call.ghl.setup.businesses.values()]
    return ApiAnswer({"businesses": found[skip : skip + limit]})


def get_business(call: PassedCall) -> ApiAnswer:
    """Return one business."""
    return ApiAnswer({"business": _business(call)})


def create_business(call: PassedCall) -> ApiAnswer:
    """Make a business."""
    check_body(call.body, CREATE, ["name", "locationId"])
    call.check_location(call.body["locationId"])
    by = {"id": call.ghl.setup.user_id, "source": "INTEGRATION", "createdAt": iso_ms(now_ms())}
    business: Json = {"id": new_id(), **call.body, "createdBy": by}
    business["createdAt"] = business["updatedAt"] = iso_ms(now_ms())
    call.ghl.setup.businesses[business["id"]] = business
    return ApiAnswer({"success": True, "buiseness": business}, 201)


def update_business(call: PassedCall) -> ApiAnswer:
    """Change what the body names."""
    business = _business(call)
    check_body(call.body, CHANGE)
    business.update(call.body, updatedAt=iso_ms(now_ms()))
    return ApiAnswer({"success": True, "buiseness": business})


def delete_business(call: PassedCall) -> ApiAnswer:
    """Delete a business; its contacts stay."""
    business_id = _business(call)["id"]
    del call.ghl.setup.businesses[business_id]
    for contact in [*call.ghl.contacts]:
        if contact.business_id == business_id:
            contact.business_id = None
            call.ghl.contacts.save(contact)
    return ApiAnswer({"success": True})


def _business(call: PassedCall) -> Json:
    call.check_location(call.ghl.location.id)
    business = call.ghl.setup.businesses.get(call.path["businessId"])
    if business is None:
        raise not_found("Business", call.path["businessId"])
    return business


ONE, ALL = "/businesses/{businessId}", "/businesses/"
READ, WRITE = "businesses.readonly", "businesses.write"
OPERATIONS = (
    VendorOperation("get-businesses-by-location", "GET", ALL, READ, list_businesses),
    VendorOperation("create-business", "POST", ALL, WRITE, create_business),
    VendorOperation("get-business", "GET", ONE, READ, get_business),
    VendorOperation("update-business", "PUT", ONE, WRITE, update_business),
    VendorOperation("delete-Business", "DELETE", ONE, WRITE, delete_business),
)
