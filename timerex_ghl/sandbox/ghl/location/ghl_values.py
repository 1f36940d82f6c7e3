"""The custom values of a location: texts that its templates merge in.

Source: the vendor's OpenAPI for locations; answers recorded in July 2026.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, new_id
from timerex_ghl.sandbox.ghl.location.ghl_location import LOCATION, key_of
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

VALUE: dict[str, Check] = {"name": body_checks.filled, "value": body_checks.text}


def list_values(call: PassedCall) -> ApiAnswer:
    """Return all custom values."""
    return ApiAnswer({"customValues": [*_values(call).values()]})


def get_value(call: PassedCall) -> ApiAnswer:
    """Return one custom value."""
    return ApiAnswer({"customValue": _value(call)})


def create_value(call: PassedCall) -> ApiAnswer:
    """Make a custom value; its key follows from its name."""
    values = _values(call)
    check_body(call.body, VALUE, [*VALUE])
    value: Json = {
        "id": new_id(),
        **call.body,
        "fieldKey": f"{{{{ custom_values.{key_of(call.body['name'])} }}}}",
        "locationId": call.ghl.location.id,
        "documentType": "field",
    }
    values[value["id"]] = value
    return ApiAnswer({"customValue": value}, 201)


def update_value(call: PassedCall) -> ApiAnswer:
    """Change name and value. The key stays."""
    value = _value(call)
    check_body(call.body, VALUE, [*VALUE])
    value.update(call.body)
    return ApiAnswer({"customValue": value})


def delete_value(call: PassedCall) -> ApiAnswer:
    """Delete a custom value."""
    del _values(call)[_value(call)["id"]]
    return ApiAnswer({"succeded": True})


def _values(call: PassedCall) -> dict[str, Json]:
    call.check_location(call.path["locationId"])
    return call.ghl.setup.custom_values


def _value(call: PassedCall) -> Json:
    value = _values(call).get(call.path["id"])
    if value is None:
        raise not_found("Custom value", call.path["id"])
    return value


ALL, ONE = f"{LOCATION}/customValues", f"{LOCATION}/customValues/{{id}}"
READ, WRITE = "locations/customValues.readonly", "locations/customValues.write"
OPERATIONS = (
    VendorOperation("get-custom-values", "GET", ALL, READ, list_values),
    VendorOperation("create-custom-value", "POST", ALL, WRITE, create_value),
    VendorOperation("get-custom-value", "GET", ONE, READ, get_value),
    VendorOperation("update-custom-value", "PUT", ONE, WRITE, update_value),
    VendorOperation("delete-custom-value", "DELETE", ONE, WRITE, delete_value),
)
