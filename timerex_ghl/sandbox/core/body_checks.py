"""Bodies checked as the vendor does: unknown keys and wrong types are a 422 with a list.

Source: answers of the vendor's validation ("property X should not exist").
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias, cast

from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.json_io import Json, parse_ms

Check: TypeAlias = Callable[[str, Any], str | None]
"""Takes a key and its value, returns the fault or None."""

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
DIGITS = re.compile(r"[0-9]{1,15}")


def text(key: str, value: object) -> str | None:
    """Require text."""
    return None if isinstance(value, str) else f"{key} must be a string"


def text_or_null(key: str, value: object) -> str | None:
    """Require text, or null to clear."""
    return None if value is None else text(key, value)


def email(key: str, value: object) -> str | None:
    """Require an address, or null to clear."""
    if value is None or (isinstance(value, str) and EMAIL.fullmatch(value)):
        return None
    return f"{key} must be an email"


def flag(key: str, value: object) -> str | None:
    """Require true or false."""
    return None if isinstance(value, bool) else f"{key} must be a boolean value"


def filled(key: str, value: object) -> str | None:
    """Require text that is not empty."""
    return text(key, value) or (None if value else f"{key} should not be empty")


def date(key: str, value: object) -> str | None:
    """Require an ISO 8601 time."""
    known = isinstance(value, str) and parse_ms(value) is not None
    return None if known else f"{key} must be a valid ISO 8601 date string"


def one_of(*known: str) -> Check:
    """Require one of these words."""
    fault = f"must be one of the following values: {', '.join(known)}"
    return lambda key, value: None if value in known else f"{key} {fault}"


def number(key: str, value: object) -> str | None:
    """Require a number."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return None if known else f"{key} must be a number"


def whole(key: str, value: object) -> str | None:
    """Require a whole number from 0."""
    known = type(value) is int and value >= 0
    return None if known else f"{key} must be a whole number from 0"


def digits(key: str, value: object) -> str | None:
    """Require a whole number as text, as in a query parameter."""
    known = isinstance(value, str) and DIGITS.fullmatch(value)
    return None if known else f"{key} must be a number"


def texts(key: str, value: object) -> str | None:
    """Require a list of texts."""
    if not isinstance(value, list):
        return f"{key} must be an array"
    items = cast("list[object]", value)
    known = all(isinstance(item, str) for item in items)
    return None if known else f"each value in {key} must be a string"


def mappings(key: str, value: object) -> str | None:
    """Require a list of objects."""
    if not isinstance(value, list):
        return f"{key} must be an array"
    known = all(isinstance(item, dict) for item in cast("list[object]", value))
    return None if known else f"each value in {key} must be an object"


def anything(_key: str, _value: object) -> str | None:
    """Accept anything."""
    return None


def faults(body: Json, known: Mapping[str, Check], required: Collection[str]) -> Iterator[str]:
    """Yield all faults of a body."""
    for key in body.keys() - known.keys():
        yield f"property {key} should not exist"
    for key in required:
        if key not in body:
            yield f"{key} should not be empty"
    for key in body.keys() & known.keys():
        fault = known[key](key, body[key])
        if fault:
            yield fault


def check_body(body: Json, known: Mapping[str, Check], required: Collection[str] = ()) -> None:
    """Refuse a body with unknown keys, wrong types or missing keys."""
    found = sorted(faults(body, known, required))
    if found:
        raise RefusalError(422, found)
