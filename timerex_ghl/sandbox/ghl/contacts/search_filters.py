"""The filters of contact search.

Source: the vendor's search filter reference: fields, operators, groups, values up to 75 characters.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any, TypeAlias, cast

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json, parse_ms
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact

Test: TypeAlias = Callable[[SandboxContact], bool]
Read: TypeAlias = Callable[[SandboxContact], Any]

LONGEST_VALUE = 75
DATES = {"dateAdded", "dateUpdated"}
PLAIN = (
    "phone",
    "source",
    "assignedTo",
    "country",
    "city",
    "state",
    "postalCode",
    "website",
    "timezone",
    "type",
    "companyName",
)
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


def _plain(field: str) -> Read:
    return lambda contact: contact.fields.get(field)


def _lower(field: str) -> Read:
    return lambda contact: (contact.fields.get(field) or "").lower() or None


READS: dict[str, Read] = {
    **{field: _plain(field) for field in PLAIN},
    "id": lambda contact: contact.id,
    "email": _lower("email"),
    "firstNameLowerCase": _lower("firstName"),
    "lastNameLowerCase": _lower("lastName"),
    "tags": lambda contact: contact.tags,
    "dnd": lambda contact: contact.fields.get("dnd", False),
    "dateAdded": lambda contact: contact.added_ms,
    "dateUpdated": lambda contact: contact.updated_ms,
    "businessId": lambda contact: contact.business_id,
    "followers": lambda contact: contact.followers,
    "additionalEmails": lambda contact: contact.additional_emails,
}


def read_of(field: object) -> Read:
    """Return the reader of a field; an unknown field is a 400."""
    if not isinstance(field, str):
        raise RefusalError(422, ["field must be a string"])
    prefix, _, field_id = field.partition("customFields.")
    if not prefix and field_id:
        return lambda contact: contact.custom.get(field_id)
    if field not in READS:
        raise RefusalError(400, f"Invalid field {field}")
    return READS[field]


def test_of(filters: object) -> Test | None:
    """Combine filters into one test that requires all; None without filters."""
    tests = [_one(item) for item in _items(filters)]
    return _all(tests) if tests else None


def _one(item: object) -> Test:
    if not isinstance(item, dict):
        raise RefusalError(422, ["each value in filters must be an object"])
    wanted = cast("Json", item)
    if "group" not in wanted:
        return _field_test(wanted)
    tests = [_one(inner) for inner in _items(wanted.get("filters"))]
    match wanted["group"]:
        case "AND":
            return _all(tests)
        case "OR":
            return lambda contact: any(test(contact) for test in tests)
        case _:
            raise RefusalError(422, ["group must be one of: AND, OR"])


def _field_test(wanted: Json) -> Test:
    field, operator, value = (wanted.get(key) for key in ("field", "operator", "value"))
    read = read_of(field)
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        raise RefusalError(422, [f"value must be shorter than or equal to {LONGEST_VALUE}"])
    if field == "email" and operator != "eq":
        raise RefusalError(400, f"Invalid operator {operator} for field email")
    match operator:
        case "range":
            return _range_test(read, value, dates=field in DATES)
        case "eq" | "contains" | "exists":
            return _simple_test(read, operator, value)
        case "not_eq" | "not_contains" | "not_exists":
            test = _simple_test(read, operator.removeprefix("not_"), value)
            return lambda contact: not test(contact)
        case _:
            raise RefusalError(400, f"Invalid operator {operator}")


def _simple_test(read: Read, operator: str, value: Any) -> Test:
    """Test for one value; in a list field, for one of its items. Case is ignored."""
    wanted = _comparable(value)
    if operator == "exists":
        return lambda contact: read(contact) not in (None, "", [])
    if operator == "eq":
        return lambda contact: any(item == wanted for item in _values(read(contact)))
    text = str(wanted)
    return lambda contact: any(text in str(item) for item in _values(read(contact)))


def _range_test(read: Read, value: object, *, dates: bool) -> Test:
    if not isinstance(value, dict) or not value or value.keys() - BOUNDS.keys():
        raise RefusalError(422, ["value of a range must have gt, gte, lt or lte"])
    bounds = {
        key: parse_ms(bound) if dates else bound for key, bound in cast("Json", value).items()
    }
    if not all(isinstance(bound, int | float) for bound in bounds.values()):
        raise RefusalError(422, ["value of a range must be a date or a number"])

    return _all([_bound_test(read, BOUNDS[key], bound) for key, bound in bounds.items()])


def _bound_test(read: Read, passes: Callable[[Any, Any], bool], bound: Any) -> Test:
    return lambda contact: isinstance(value := read(contact), int | float) and passes(value, bound)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda contact: all(test(contact) for test in tests)


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise RefusalError(422, ["filters must be an array"])
    return cast("list[object]", value)


def _values(value: Any) -> list[Any]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [_comparable(item) for item in items]


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
