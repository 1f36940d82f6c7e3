"""The location's duplicate rule: which contact already has an e-mail or a phone.

Source: location settings `allowDuplicateContact` and `contactUniqueIdentifiers` (in this order).
"""

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts.contact_body import normal_phone
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.ghl_state import Ghl


def owners(ghl: Ghl, body: Json) -> list[tuple[str, SandboxContact]]:
    """Find the contacts with the body's e-mail and phone: at most one per field, best first."""
    phone = normal_phone(body.get("phone"), ghl.location.country)
    values = {"email": body.get("email"), "phone": phone}
    return [
        (field, found[0])
        for field in ghl.location.unique_identifiers
        if (value := values[field]) and (found := ghl.contacts.find(field, value))
    ]


def refuse_taken(ghl: Ghl, body: Json, own: SandboxContact | None = None) -> None:
    """Refuse a body whose e-mail or phone another contact has."""
    if ghl.location.allow_duplicates:
        return
    for field, contact in owners(ghl, body):
        if own is None or contact.id != own.id:
            meta = {
                "contactId": contact.id,
                "contactName": contact.full_name,
                "matchingField": field,
            }
            message = "This location does not allow duplicated contacts."
            raise RefusalError(400, message, meta=meta)
