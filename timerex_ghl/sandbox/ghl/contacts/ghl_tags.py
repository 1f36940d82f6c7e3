"""The tags of a location. Contacts use their names; the location gives them ids.

Source: the vendor's OpenAPI for locations.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, new_id
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import change_tags
from timerex_ghl.sandbox.ghl.location.ghl_location import LOCATION
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

TAG: dict[str, Check] = {"name": body_checks.filled}


def list_tags(call: PassedCall) -> ApiAnswer:
    """Return all tags, including those first used on a contact."""
    return ApiAnswer({"tags": [_shape(call, tag_id) for tag_id in _tags(call)]})


def get_tag(call: PassedCall) -> ApiAnswer:
    """Return one tag."""
    return ApiAnswer({"tag": _shape(call, _tag_id(call))})


def create_tag(call: PassedCall) -> ApiAnswer:
    """Make a tag, in lower case like those of contacts."""
    tags, tag_id = _tags(call), new_id()
    tags[tag_id] = _new_name(call)
    return ApiAnswer({"tag": _shape(call, tag_id)})


def update_tag(call: PassedCall) -> ApiAnswer:
    """Rename a tag, on its contacts too."""
    tag_id = _tag_id(call)
    name, old = _new_name(call, tag_id), _tags(call)[tag_id]
    call.ghl.setup.tags[tag_id] = name
    for contact in [*call.ghl.contacts]:
        renamed = [name if tag == old else tag for tag in contact.tags]
        change_tags(call.ghl, contact, [*dict.fromkeys(renamed)])
    return ApiAnswer({"tag": _shape(call, tag_id)})


def delete_tag(call: PassedCall) -> ApiAnswer:
    """Delete a tag and remove it from its contacts."""
    name = _tags(call).pop(_tag_id(call))
    for contact in [*call.ghl.contacts]:
        change_tags(call.ghl, contact, [tag for tag in contact.tags if tag != name])
    return ApiAnswer({"succeded": True})


def _tags(call: PassedCall) -> dict[str, str]:
    call.check_location(call.path["locationId"])
    call.ghl.setup.register_tags(tag for contact in call.ghl.contacts for tag in contact.tags)
    return call.ghl.setup.tags


def _tag_id(call: PassedCall) -> str:
    tag_id = call.path["tagId"]
    if tag_id not in _tags(call):
        raise not_found("Tag", tag_id)
    return tag_id


def _new_name(call: PassedCall, own_id: str = "") -> str:
    check_body(call.body, TAG, ["name"])
    name = call.body["name"].strip().lower()
    if not name:
        raise RefusalError(422, ["name should not be empty"])
    if any(tag == name and tag_id != own_id for tag_id, tag in _tags(call).items()):
        raise RefusalError(400, "The tag name is already exist.")
    return name


def _shape(call: PassedCall, tag_id: str) -> Json:
    tag = call.ghl.setup.tags[tag_id]
    return {"id": tag_id, "name": tag, "locationId": call.ghl.location.id}


ALL, ONE = f"{LOCATION}/tags", f"{LOCATION}/tags/{{tagId}}"
READ, WRITE = "locations/tags.readonly", "locations/tags.write"
OPERATIONS = (
    VendorOperation("get-location-tags", "GET", ALL, READ, list_tags),
    VendorOperation("create-tag", "POST", ALL, WRITE, create_tag),
    VendorOperation("get-tag-by-id", "GET", ONE, READ, get_tag),
    VendorOperation("update-tag", "PUT", ONE, WRITE, update_tag),
    VendorOperation("delete-tag", "DELETE", ONE, WRITE, delete_tag),
)
