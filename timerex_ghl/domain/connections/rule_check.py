"""Check a connection's field rules before they are published."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from timerex_ghl.domain.contacts.mapping import CUSTOM_PREFIX, GHL_FIELDS, goes_to_ghl, is_custom
from timerex_ghl.domain.shared.models import STANDARD_FIELDS, Direction, FieldRule

OWN_FIELD = re.compile(r"custom\.\S+")
NEVER_MAPPED = {
    "tags": "tags are always synced, one by one; remove this rule",
    "locationId": "the location comes from the connection; remove this rule",
    "name": "enter firstName and lastName instead",
    "companyId": "enter companyName instead",
}


def check_rules(rules: Sequence[FieldRule], custom_field_ids: Collection[str]) -> list[str]:
    """List what is wrong, one line a fault, each with what to enter instead.

    Args:
        rules: The connection's fields.
        custom_field_ids: Ids of the location's custom fields, as GHL lists them.
    """
    faults = [fault for rule in rules for fault in _check_rule(rule, custom_field_ids)]
    return [*faults, *_check_repeats(rules)]


def _check_rule(rule: FieldRule, custom_field_ids: Collection[str]) -> Iterator[str]:
    yield from _check_field(rule.field)
    if is_custom(rule.ghl):
        yield from _check_custom(rule, custom_field_ids)
    else:
        yield from _check_standard(rule)
    if rule.answer_label is not None and not rule.answer_label.strip():
        yield f"{rule.field}: the answer label is blank; enter the question, or leave it out"


def _check_field(field: str) -> Iterator[str]:
    if field not in STANDARD_FIELDS and not OWN_FIELD.fullmatch(field):
        known = _instead(field, STANDARD_FIELDS)
        yield f"{field}: no such field here; enter {known}, or custom.<key> for one of your own"


def _check_custom(rule: FieldRule, custom_field_ids: Collection[str]) -> Iterator[str]:
    custom_id = rule.ghl.removeprefix(CUSTOM_PREFIX)
    if custom_id not in custom_field_ids:
        known = _instead(custom_id, custom_field_ids) if custom_field_ids else "another field"
        yield f"{rule.field}: the location has no custom field {custom_id!r}; enter {known}"


def _check_standard(rule: FieldRule) -> Iterator[str]:
    if rule.ghl in NEVER_MAPPED:
        yield f"{rule.field}: {rule.ghl} cannot be mapped: {NEVER_MAPPED[rule.ghl]}"
        return
    use = GHL_FIELDS.get(rule.ghl)
    if use is None:
        known = _instead(rule.ghl, GHL_FIELDS)
        yield f"{rule.field}: GHL has no field {rule.ghl!r}; enter {known}, or customFields.<id>"
    elif use == "read" and goes_to_ghl(rule, creating=True):
        yield f"{rule.field}: GHL does not accept {rule.ghl}; enter direction to-workspace"
    elif use == "create" and goes_to_ghl(rule, creating=False):
        yield f"{rule.field}: GHL never changes {rule.ghl} after creation; enter create_only: true"
    if (
        rule.create_only
        and not goes_to_ghl(rule, creating=True)
        and rule.direction is not Direction.OFF
    ):
        yield f"{rule.field}: create_only has no effect with {rule.direction}; leave it out"


def _check_repeats(rules: Sequence[FieldRule]) -> Iterator[str]:
    for name, times in Counter(rule.field for rule in rules).items():
        if times > 1:
            yield f"{name}: mapped {times} times; keep one of the rules"
    active = [rule for rule in rules if rule.direction is not Direction.OFF]
    for name, times in Counter(rule.ghl for rule in active).items():
        if times > 1:
            fields = ", ".join(rule.field for rule in active if rule.ghl == name)
            yield f"{name}: {fields} are all mapped to it; keep one of them"


def _instead(wrong: str, right: Collection[str]) -> str:
    """Suggest the closest valid names, or the first of them where none is close."""
    by_lower = {word.lower(): word for word in right}
    close = get_close_matches(wrong.lower(), by_lower, n=2, cutoff=0.6)
    return " or ".join(by_lower[word] for word in close) or f"one of {', '.join([*right][:20])}"
