"""Strict JSON parsing: refuses what two parsers could read differently."""

import json
import math

from pydantic import JsonValue

_MAX_DEPTH = 64
_MAX_DIGITS = 20


def read_json(body: bytes) -> JsonValue:
    """Parse one JSON document in UTF-8.

    Refused: repeated keys, NaN and infinities, integers over 20 digits, nesting over 64 deep,
    lone surrogates, NUL.

    Raises:
        ValueError: The document is refused; the message contains no part of it.
    """
    try:
        document: JsonValue = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_refuse,
        )
        _check(document)
    except (ValueError, RecursionError):
        raise ValueError("not strict JSON in UTF-8") from None
    return document


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("repeated key")
    return read


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:  # int() itself raises from 4,301 digits on
        raise ValueError("number too long")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):  # 1e999
        raise ValueError("number too large")
    return number


def _refuse(name: str) -> JsonValue:
    raise ValueError(name)


def _check(document: JsonValue) -> None:
    """Check every string and the nesting depth, without recursion."""
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        match value:
            case str():
                _check_text(value)
            case list():
                waiting.extend((item, depth + 1) for item in value)
            case dict():
                for key, item in value.items():
                    _check_text(key)
                    waiting.append((item, depth + 1))
            case _:
                pass


def _check_text(text: str) -> None:
    text.encode()  # a lone surrogate has no UTF-8 form
    if "\0" in text:  # PostgreSQL cannot store it
        raise ValueError("NUL")
