"""The shapes of a contact in answers: several, like the vendor's.

Source: answers of GET, POST /contacts/ and POST /contacts/search recorded in July 2026.
"""

from timerex_ghl.sandbox.core.json_io import Json, iso_ms, parse_ms
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact


def lower_names(contact: SandboxContact) -> Json:
    """Return the lower-cased copies of what is set."""
    fields = contact.fields
    found = {f"{key}LowerCase": fields.get(key) for key in ("firstName", "lastName", "email")}
    found["fullNameLowerCase"] = contact.full_name
    return {key: value.lower() for key, value in found.items() if value}


def custom_fields(contact: SandboxContact) -> list[Json]:
    """Return the custom fields: read as `value`, though written as `field_value`."""
    return [{"id": field_id, "value": value} for field_id, value in contact.custom.items()]


def got(contact: SandboxContact) -> Json:
    """Shape a contact for GET, PUT and upsert: empty fields are absent."""
    shape: Json = {
        "id": contact.id,
        "dateAdded": iso_ms(contact.added_ms),
        "dateUpdated": iso_ms(contact.updated_ms),
        "locationId": contact.location_id,
        **contact.fields,
        **lower_names(contact),
        "createdBy": contact.created_by,
        "tags": contact.tags,
        "customFields": custom_fields(contact),
        "additionalEmails": [{"email": email} for email in contact.additional_emails],
        "additionalPhones": [{"phone": phone} for phone in contact.additional_phones],
    }
    if contact.followers:
        shape["followers"] = contact.followers
    if contact.business_id:
        shape["businessId"] = contact.business_id
    return shape


def created(contact: SandboxContact) -> Json:
    """Shape a contact for POST: the only answer with `lastUpdatedBy`."""
    shape = got(contact)
    del shape["additionalEmails"], shape["additionalPhones"]
    return {
        **shape,
        "deleted": False,
        "bounceEmail": False,
        "unsubscribeEmail": False,
        "lastUpdatedBy": contact.created_by,
        "lastSessionActivityAt": iso_ms(contact.updated_ms),
        "validEmail": None,
        "validEmailDate": None,
    }


SEARCHED_PLAIN = (
    "country",
    "source",
    "type",
    "website",
    "state",
    "phone",
    "companyName",
    "city",
    "firstName",
    "lastName",
    "email",
    "assignedTo",
    "postalCode",
    "timezone",
)
NEVER_FILLED: Json = {
    "phoneLabel": None,
    "businessName": None,
    "validEmail": None,
    "opportunities": [],
    "attributionSource": {},
    "lastAttributionSource": {},
}


def searched(contact: SandboxContact) -> Json:
    """Shape a contact for search: null when empty, `address` and an epoch birthday."""
    if contact.found_as is None:
        contact.found_as = _searched(contact)
    return contact.found_as.copy()


def _searched(contact: SandboxContact) -> Json:
    field = contact.fields.get
    return {
        "id": contact.id,
        "locationId": contact.location_id,
        **NEVER_FILLED,
        **{key: field(key) for key in SEARCHED_PLAIN},
        "address": field("address1"),
        "dnd": bool(field("dnd")),
        "dndSettings": field("dndSettings", {}),
        "inboundDndSettings": field("inboundDndSettings", {}),
        "customFields": custom_fields(contact),
        "tags": contact.tags,
        "followers": contact.followers,
        "dateAdded": iso_ms(contact.added_ms),
        "dateUpdated": iso_ms(contact.updated_ms),
        "dateOfBirth": parse_ms(field("dateOfBirth")),
        "firstNameLowerCase": (field("firstName") or "").lower() or None,
        "lastNameLowerCase": (field("lastName") or "").lower() or None,
        "contactName": contact.full_name.lower() or None,
        "additionalEmails": [{"email": email} for email in contact.additional_emails],
        "additionalPhones": [{"phone": phone} for phone in contact.additional_phones],
        "businessId": contact.business_id,
    }


def listed(contact: SandboxContact) -> Json:
    """Shape a contact for the two lists: names in lower case, the real ones as `…Raw`."""
    shape = got(contact)
    for key in ("firstName", "lastName"):
        value = shape.get(key)
        shape[f"{key}Raw"] = value
        shape[key] = value.lower() if value else value
    for key in ("email", "phone", "source", "assignedTo", "companyName", "businessId"):
        shape.setdefault(key, None)
    return {**shape, "contactName": contact.full_name.lower(), "attributions": []}
