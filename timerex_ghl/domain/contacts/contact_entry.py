"""What people enter about a contact, by the API or in a file, and its validation.

Values are kept as typed. Those that cannot be read, stored or sent are refused; a fault names the
field and what to enter instead, never the value.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from unicodedata import category

from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import STANDARD_FIELDS, FieldName, FieldRule, Value
from timerex_ghl.domain.shared.normal import clean_tag, clean_value, email_key

STATUSES = ("lead", "active", "customer", "former")
MAX_LINE = 1_000
MAX_TEXT = 10_000
MAX_CHOICES = 100
MAX_TAG = 100
CUSTOM = "custom."


class FieldFault(NamedTuple):
    """What is wrong with one field."""

    field: str
    message: str


class EntryError(SkippableError):
    """An entry is invalid.

    Attributes:
        faults: All of them, by field.
    """

    def __init__(self, faults: Iterable[FieldFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in self.faults))


def check_values(
    given: Mapping[FieldName, Value], rules: Iterable[FieldRule]
) -> dict[FieldName, Value]:
    """Return the values as they are stored: NFC, stripped, None where emptied.

    Args:
        given: By canonical field name.
        rules: The connection's fields: they define its custom fields.

    Raises:
        EntryError: A field is unknown, or a value is invalid.
    """
    known = {*STANDARD_FIELDS, *(rule.field for rule in rules)}
    kept: dict[FieldName, Value] = {}
    faults: list[FieldFault] = []
    for field, value in given.items():
        fault = _fault_of(field, value, known)
        if fault is not None:
            faults.append(FieldFault(field, fault))
        else:
            kept[field] = clean_value(value)
    if faults:
        raise EntryError(faults)
    return kept


def check_tags(given: Iterable[str], field: str = "tags") -> frozenset[str]:
    """Return tags as they are stored: lower-case, single blanks.

    Raises:
        EntryError: A tag is empty, too long or unreadable.
    """
    tags = [*given]
    cleaned = frozenset(clean_tag(tag) for tag in tags)
    if len(cleaned) > MAX_CHOICES:
        raise EntryError([FieldFault(field, f"has more than {MAX_CHOICES} tags")])
    for tag in tags:
        if not clean_tag(tag):
            raise EntryError([FieldFault(field, "has an empty tag: leave it out")])
        if len(tag) > MAX_TAG:
            raise EntryError([FieldFault(field, f"has a tag of over {MAX_TAG} characters")])
        if not is_readable(tag):
            raise EntryError([FieldFault(field, "has a tag with a character that cannot be shown")])
    return cleaned


def is_readable(text: str) -> bool:
    """Return whether text can be stored and shown: no control codes but line ends and tabs."""
    return all(letter in "\n\r\t" or category(letter) not in {"Cc", "Cs"} for letter in text)


def _fault_of(field: FieldName, value: Value, known: Collection[FieldName]) -> str | None:
    if field not in known:
        if field.startswith(CUSTOM):
            return "is not a field of this connection: add it to its field mapping and publish"
        return f"is not a field: use {', '.join(STANDARD_FIELDS)}, or {CUSTOM}<key>"
    if isinstance(value, tuple):
        return _fault_of_choices(field, value)
    return None if value is None else _fault_of_text(field, value)


def _fault_of_choices(field: FieldName, choices: tuple[str, ...]) -> str | None:
    if not field.startswith(CUSTOM):
        return "must be one text, not a list"
    if len(choices) > MAX_CHOICES:
        return f"has more than {MAX_CHOICES} choices"
    return next(filter(None, (_fault_of_text(field, choice) for choice in choices)), None)


def _fault_of_text(field: FieldName, text: str) -> str | None:
    longest = MAX_TEXT if field.startswith(CUSTOM) else MAX_LINE
    if len(text) > longest:
        return f"is longer than {longest} characters"
    if not is_readable(text):
        return "has a character that cannot be shown"
    cleaned = clean_value(text)
    return _fault_of_kind(field, cleaned) if isinstance(cleaned, str) else None


def _fault_of_kind(field: FieldName, text: str) -> str | None:
    """Validate a field that has a format of its own."""
    match field:
        case "email" if email_key(text) is None:
            return "is not an e-mail address: write name@example.com"
        case "phone" if not any(letter.isdigit() for letter in text):
            return "is not a phone number: it has no digit"
        case "status" if text not in STATUSES:
            return f"is not one of {', '.join(STATUSES)}"
        case _:
            return None
