"""Map fields between the workspace and GHL."""

from collections.abc import Iterable
from typing import Literal

from timerex_ghl.domain.shared.models import (
    Contact,
    Direction,
    FieldName,
    FieldRule,
    GhlContact,
    GhlField,
    Value,
    Values,
)
from timerex_ghl.domain.shared.normal import clean_value, is_empty

CUSTOM_PREFIX = "customFields."
"""Prefix of a GHL custom field's name; its id follows."""

GHL_FIELDS: dict[GhlField, Literal["update", "create", "read"]] = {
    GhlField("firstName"): "update",
    GhlField("lastName"): "update",
    GhlField("email"): "update",
    GhlField("phone"): "update",
    GhlField("address1"): "update",
    GhlField("city"): "update",
    GhlField("state"): "update",
    GhlField("postalCode"): "update",
    GhlField("country"): "update",
    GhlField("website"): "update",
    GhlField("timezone"): "update",
    GhlField("source"): "update",
    GhlField("assignedTo"): "update",
    GhlField("dateOfBirth"): "update",
    GhlField("companyName"): "create",
    GhlField("gender"): "create",
    GhlField("type"): "read",
}
"""What GHL allows for its own fields: write at any time, on creation only, or never.

Source: POST /contacts/, PUT /contacts/{contactId}. `tags` is left out on purpose: in a contact's
body it replaces all tags. `name` is left out because it overwrites both names.
"""


def _rule(
    field: str, ghl: str, *, direction: Direction = Direction.BOTH, create_only: bool = False
) -> FieldRule:
    return FieldRule(
        field=FieldName(field), ghl=GhlField(ghl), direction=direction, create_only=create_only
    )


DEFAULT_RULES = (
    _rule("first_name", "firstName"),
    _rule("last_name", "lastName"),
    _rule("email", "email"),
    _rule("phone", "phone"),
    _rule("company", "companyName", create_only=True),
    _rule("address", "address1"),
    _rule("city", "city"),
    _rule("state", "state"),
    _rule("postal_code", "postalCode"),
    _rule("country", "country"),
    _rule("website", "website"),
    _rule("timezone", "timezone"),
    _rule("source", "source", direction=Direction.TO_GHL, create_only=True),
    _rule("status", "type", direction=Direction.OFF),
)
"""The standard fields, for a connection without a mapping of its own."""


def is_custom(field: GhlField) -> bool:
    """Return whether a GHL field is a custom field of the location."""
    return field.startswith(CUSTOM_PREFIX)


def map_from_ghl(contact: GhlContact, rules: Iterable[FieldRule]) -> Contact:
    """Map a GHL contact to canonical fields.

    An answer lists only the custom fields that are filled, so a missing one is known to be empty.
    A missing standard field was not received.

    Source: GET /contacts/{contactId}.
    """
    values: dict[FieldName, Value] = {
        rule.field: clean_value(contact.values.get(rule.ghl))
        for rule in rules
        if rule.direction is not Direction.OFF
        and (rule.ghl in contact.values or is_custom(rule.ghl))
    }
    return Contact(values=values, tags=contact.tags, updated_at=contact.updated_at)


def map_to_ghl(
    values: Values, rules: Iterable[FieldRule], *, creating: bool
) -> dict[GhlField, Value]:
    """Map values to GHL's fields. Left out: what GHL would refuse, and empty fields on creation.

    Args:
        values: Only what is to be written.
        rules: The connection's fields.
        creating: The contact is being created, so create-only fields are included.
    """
    return {
        rule.ghl: values[rule.field]
        for rule in rules
        if rule.field in values
        and goes_to_ghl(rule, creating=creating)
        and not (creating and is_empty(values[rule.field]))
    }


def goes_to_ghl(rule: FieldRule, *, creating: bool) -> bool:
    """Return whether a field may be written to GHL."""
    return rule.direction in {Direction.BOTH, Direction.TO_GHL} and (
        creating or not rule.create_only
    )


def goes_to_workspace(rule: FieldRule) -> bool:
    """Return whether a field may be written to the workspace."""
    return rule.direction in {Direction.BOTH, Direction.TO_WORKSPACE}
