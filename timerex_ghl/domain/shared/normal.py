"""Normal forms, for comparing and matching only: values are kept and sent as people wrote them."""

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

import phonenumbers

from timerex_ghl.domain.shared.models import FieldName, Value

_MAIN_LINE = re.compile(r"\(\s*代(?:表)?\s*\)|代表(?:電話|番号)?[:\s]*")
_EXTENSION = re.compile(r"\(?\s*内線(?:番号)?[:\s]*(\d{1,7})\s*\)?")
"""The marks of a company's main line and of an extension, as Japanese forms have them."""


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
    phone = _read_phone(value, region) if isinstance(value, str) else None
    return None if phone is None else phone.number


def phone_match_key(value: Value, region: str) -> str | None:
    """Return the match key of a phone: its number with its extension, `+81312345678;ext=12`.

    None where it is no valid number, or marked as a main line, which is nobody's.
    """
    phone = _read_phone(value, region) if isinstance(value, str) else None
    if phone is None or phone.is_main_line:
        return None
    return f"{phone.number};ext={phone.extension}" if phone.extension else phone.number


def main_line_of(value: Value, region: str) -> str | None:
    """Return the number of a phone that is marked as a main line; None for every other value."""
    phone = _read_phone(value, region) if isinstance(value, str) else None
    return phone.number if phone is not None and phone.is_main_line else None


def fold_name(name: str) -> str:
    """Return a person's name for comparison: without case, width and blanks."""
    return "".join(_fold_width(name).casefold().split())


def number_of(key: str) -> str:
    """Return the number of a phone's match key, without the extension."""
    return key.partition(";")[0]


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


class _Phone(NamedTuple):
    """A valid phone number, in E.164."""

    number: str
    extension: str | None
    is_main_line: bool


@lru_cache(maxsize=65_536)  # parsing takes 50 µs, and a sync compares the same numbers again
def _read_phone(text: str, region: str) -> _Phone | None:
    folded = _fold_width(text)
    plain = _MAIN_LINE.sub(" ", folded)
    try:
        number = phonenumbers.parse(_EXTENSION.sub(r" ext. \1", plain).strip(), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _Phone(e164, number.extension, is_main_line=plain != folded)
