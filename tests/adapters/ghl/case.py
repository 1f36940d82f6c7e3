"""A test case of one client method."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.domain.shared.models import GhlField, Value


@dataclass(frozen=True)
class MethodCase:
    """One method: the call, its request, an answer, and the parsed result."""

    call: Callable[[GhlClient], Awaitable[Any]]
    method: str
    path: str
    answer: object
    read: Callable[[Any], object]
    expected: object
    query: dict[str, str] | None = None
    body: object = None
    version: str = "2021-07-28"


def values(**fields: Value) -> dict[GhlField, Value]:
    return {GhlField(name): value for name, value in fields.items()}
