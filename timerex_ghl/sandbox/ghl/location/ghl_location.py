"""The location and its custom fields.

Source: the vendor's OpenAPI for locations; answers recorded in July 2026.
"""

import re

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, new_id, now_ms
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

MODELS = ("contact", "opportunity")
FIELD: dict[str, Check] = {
    "name": body_checks.filled,
    "dataType": body_checks.filled,
    "placeholder": body_checks.text,
    "acceptedFormat": body_checks.texts,
    "isMultipleFile": body_checks.flag,
    "maxNumberOfFiles": body_checks.number,
    "textBoxListOptions": body_checks.mappings,
    "options": body_checks.texts,
    "position": body_checks.number,
    "model": body_checks.one_of(*MODELS),
}
MOVABLE = {"name", "placeholder", "position"}
FIELD_CHANGE = {key: check for key, check in FIELD.items() if key != "dataType"}


def get_location(call: PassedCall) -> ApiAnswer:
    """Return the location with the settings that decide what a duplicate is."""
    call.check_location(call.path["locationId"])
    location = call.ghl.location
    settings: Json = {
        "allowDuplicateContact": location.allow_duplicates,
        "allowDuplicateOpportunity": False,
        "allowFacebookNameMerge": False,
        "disableContactTimezone": False,
        "contactUniqueIdentifiers": location.unique_identifiers,
    }
    shape: Json = {
        "id": location.id,
        "companyId": location.company_id,
        "name": location.name,
        "country": location.country,
        "timezone": location.timezone,
        "email": "office@aoba.example",
        "settings": settings,
    }
    return ApiAnswer({"location": shape})


def add_field(ghl: Ghl, body: Json) -> Json:
    """Make a custom field; its key follows from its name."""
    model = body.get("model", "contact")
    options = body.get("options") or [
        option["label"] for option in body.get("textBoxListOptions", ()) if "label" in option
    ]
    field: Json = {
        "id": new_id(),
        "model": model,
        "name": body["name"],
        "fieldKey": f"{model}.{key_of(body['name'])}",
        "placeholder": body.get("placeholder", ""),
        "dataType": body["dataType"],
        "position": body.get("position", 50 * (len(ghl.custom_fields) + 1)),
        "documentType": "field",
        "locationId": ghl.location.id,
        "dateAdded": iso_ms(now_ms()),
        "standard": False,
    }
    if options:
        field["picklistOptions"] = options
    ghl.custom_fields[field["id"]] = field
    return field


def key_of(name: str) -> str:
    """Write a name as in a key: lower case, spaces as `_`, no punctuation."""
    return re.sub(r"\s+", "_", re.sub(r"[^\w\s]", "", name.lower()).strip())


def list_fields(call: PassedCall) -> ApiAnswer:
    """Return the custom fields, those of contacts unless `model` says otherwise."""
    call.check_location(call.path["locationId"])
    query = call.read_query({"model": body_checks.one_of(*MODELS, "all")})
    model = query.get("model", "contact")
    fields = [
        field for field in call.ghl.custom_fields.values() if model in ("all", field["model"])
    ]
    return ApiAnswer({"customFields": fields})


def create_field(call: PassedCall) -> ApiAnswer:
    """Make a custom field."""
    call.check_location(call.path["locationId"])
    check_body(call.body, FIELD, ["name", "dataType"])
    return ApiAnswer({"customField": add_field(call.ghl, call.body)}, 201)


def get_field(call: PassedCall) -> ApiAnswer:
    """Return one custom field."""
    return ApiAnswer({"customField": _field(call)})


def update_field(call: PassedCall) -> ApiAnswer:
    """Rename or move a field. Its type, its key and its model stay."""
    field = _field(call)
    check_body(call.body, FIELD_CHANGE, ["name"])
    field.update({key: call.body[key] for key in MOVABLE & call.body.keys()})
    return ApiAnswer({"customField": field})


def delete_field(call: PassedCall) -> ApiAnswer:
    """Delete a field and its values on all contacts."""
    field_id = _field(call)["id"]
    del call.ghl.custom_fields[field_id]
    for contact in call.ghl.contacts:
        if contact.custom.pop(field_id, None) is not None:
            call.ghl.contacts.show(contact)
    return ApiAnswer({"succeded": True})


def _field(call: PassedCall) -> Json:
    call.check_location(call.path["locationId"])
    field = call.ghl.custom_fields.get(call.path["id"])
    if field is None:
        raise not_found("Custom field", call.path["id"])
    return field


LOCATION = "/locations/{locationId}"
FIELDS, FIELD_PATH = f"{LOCATION}/customFields", f"{LOCATION}/customFields/{{id}}"
READ, WRITE = "locations/customFields.readonly", "locations/customFields.write"
OPERATIONS = (
    VendorOperation(
        "get-location", "GET", LOCATION, "locations.readonly", get_location, agency="too"
    ),
    VendorOperation("get-custom-fields", "GET", FIELDS, READ, list_fields),
    VendorOperation("create-custom-field", "POST", FIELDS, WRITE, create_field),
    VendorOperation("get-custom-field", "GET", FIELD_PATH, READ, get_field),
    VendorOperation("update-custom-field", "PUT", FIELD_PATH, WRITE, update_field),
    VendorOperation("delete-custom-field", "DELETE", FIELD_PATH, WRITE, delete_field),
)
