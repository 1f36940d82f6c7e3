"""JSON on the wire, times and ids as the two services write them."""

import json
import random
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""One JSON object."""


def _json_tools() -> tuple[Callable[[object], bytes], Callable[[bytes], Any]]:
    """Use orjson if it is installed: it is several times faster."""
    try:
        orjson = import_module("orjson")
    except ImportError:
        return lambda value: json.dumps(value).encode(), json.loads
    return orjson.dumps, orjson.loads


to_json, from_json = _json_tools()

YEARS = range(1900, 2200)
"""Years of valid times in text: safe to convert to any zone."""

ID_LETTERS = string.ascii_letters + string.digits


def new_id() -> str:
    """Make an id as GHL writes them: 20 letters and digits."""
    return "".join(random.choices(ID_LETTERS, k=20))


def now_ms() -> int:
    """Read the clock, in milliseconds."""
    return time.time_ns() // 1_000_000


def iso_ms(at_ms: int) -> str:
    """Write `2026-07-17T10:26:20.635Z`."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{_iso_seconds(seconds)}.{ms:03}Z"


@lru_cache(maxsize=10_000)
def _iso_seconds(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:19]


def parse_ms(value: object) -> int | None:
    """Read ISO text or epoch milliseconds; None if invalid."""
    try:
        match value:
            case bool():
                return None
            case int() | float():
                return int(value)
            case str():
                at = datetime.fromisoformat(value)
                at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
                return int(at.timestamp() * 1000) if at.year in YEARS else None
            case _:
                return None
    except (ValueError, OverflowError):
        return None
