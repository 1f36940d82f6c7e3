"""Normal forms, for comparing and matching only: values are kept and sent as people wrote them."""

from collections.abc import Hashable
from functools import lru_cache
from unicodedata import normalize

import phonenumbers

from timerex_ghl.domain.shared.models import FieldName, Value


def clean_value(value: Value) -> Value:
    """Return a value in the form we store: NFC, stripped, None where empty."""
    if isinstance(value, tuple):
        return tuple(kept for item in value if (kept := _clean_text(item))) or None
    return _clean_text(value or "") or None


def clean_tag(tag: str) -> str:
    """Return the form in which GHL stores a tag's name: lower-case, single blanks."""
    return normalize("NFC", " ".join(tag.split()).lower())


def email_key(value: Value) -> str | None:
    """Return the match key of an e-mail address; None where the value is not a single address.

    Deliberately lenient (old Japanese carrier addresses break the standard). Plus-tags stay.
    """
    if not isinstance(value, str):
        return None
    key = _fold_width(value).casefold()
    local, _, domain = key.partition("@")
    return key if local.strip() and domain.strip() and "@" not in domain else None


def phone_key(value: Value, region: str) -> str | None:
    """Return the E.164 form of a valid phone number; None for every other value.

    Args:
        value: As typed; full-width digits and Japanese dashes are read.
        region: ISO 3166 alpha-2; reads numbers written without a country code.
    """
    return _read_phone(value, region) if isinstance(value, str) else None


def compare_key(field: FieldName, value: Value, region: str) -> Hashable:
    """Return the form in which equal values are equal. None stands for empty.

    A choice of one compares like the plain text, since GHL is free to answer either.
    """
    if isinstance(value, tuple):
        chosen = {key for item in value if (key := _fold_width(item))}
        return chosen.pop() if len(chosen) == 1 else frozenset(chosen) or None
    text = _fold_width(value or "")
    match field:
        case "email":
            return email_key(text) or text or None
        case "phone":
            return phone_key(text, region) or text or None
        case "country":
            return text.upper() or None
        case _:
            return text or None


def is_same(field: FieldName, one: Value, other: Value, region: str) -> bool:
    """Return whether two values are equal but for spelling. An empty text equals None."""
    return compare_key(field, one, region) == compare_key(field, other, region)


def is_empty(value: Value) -> bool:
    """Return whether a value is None or blank."""
    return clean_value(value) is None


def _clean_text(text: str) -> str:
    return normalize("NFC", text).strip()


def _fold_width(text: str) -> str:
    return normalize("NFKC", text).strip()


@lru_cache(maxsize=65_536)  # parsing takes 50 µs, and a sync compares the same numbers again
def _read_phone(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
