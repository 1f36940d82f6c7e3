"""Two older lists of contacts, with names in lower case.

Source: GET /contacts/ (deprecated), GET /contacts/business/{businessId}; answers recorded in July
2026.
"""

from timerex_ghl.sandbox.core.answers import ApiAnswer
from timerex_ghl.sandbox.core.body_checks import Check, digits, text
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts import contact_shapes
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import READ
from timerex_ghl.sandbox.ghl.contacts.ghl_search import has_words
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

OLDER: dict[str, Check] = {
    "locationId": text,
    "query": text,
    "limit": digits,
    "startAfter": digits,
    "startAfterId": text,
}
OF_BUSINESS: dict[str, Check] = {"locationId": text, "query": text, "limit": digits, "skip": digits}
LARGEST_PAGE = 100


def list_contacts(call: PassedCall) -> ApiAnswer:
    """Return a page of contacts, the newest first. Deprecated by the vendor, still answers."""
    query = call.read_query(OLDER, "locationId")
    found = _newest(call, query)
    after = (-int(query.get("startAfter", "0")), query.get("startAfterId", ""))
    rest = [c for c in found if (-c.added_ms, c.id) > after] if after[1] else found
    page = rest[: min(int(query.get("limit", "20")), LARGEST_PAGE)]
    meta: Json = {"total": len(found)}
    if page:
        meta |= {"startAfter": page[-1].added_ms, "startAfterId": page[-1].id}
    return ApiAnswer(
        {"contacts": [contact_shapes.listed(c) for c in page], "count": len(found), "meta": meta}
    )


def list_business(call: PassedCall) -> ApiAnswer:
    """Return a page of the contacts of a business."""
    query = call.read_query(OF_BUSINESS, "locationId")
    found = [c for c in _newest(call, query) if c.business_id == call.path["businessId"]]
    skip, limit = int(query.get("skip", "0")), int(query.get("limit", "25"))
    page = found[skip : skip + min(limit, LARGEST_PAGE)]
    return ApiAnswer({"contacts": [contact_shapes.listed(c) for c in page], "count": len(found)})


def _newest(call: PassedCall, query: dict[str, str]) -> list[SandboxContact]:
    words = query.get("query", "").lower()
    found = (contact for contact in call.ghl.contacts if has_words(contact, words))
    return sorted(found, key=lambda contact: (-contact.added_ms, contact.id))


OPERATIONS = (
    VendorOperation("get-contacts", "GET", "/contacts/", READ, list_contacts),
    VendorOperation(
        "get-contacts-by-businessId", "GET", "/contacts/business/{businessId}", READ, list_business
    ),
)
