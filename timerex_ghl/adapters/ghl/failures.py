"""GHL's refusals, told by what to do next. Its own words never leave here: they may name people.

Source: the error bodies of the published OpenAPI files, and recorded answers.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from timerex_ghl.adapters.ghl.mappers import FIELDS
from timerex_ghl.adapters.ghl.operations import Operation
from timerex_ghl.sync.errors import (
    CredentialsError,
    DuplicateContactError,
    NotFoundError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    SkippableError,
    TimerexGhlError,
    UnknownOutcomeError,
)

KNOWN = frozenset({*FIELDS, "customFields", "tags", "body", "locationId", "name"})
TOKEN_REFUSED = re.compile(
    r"invalid token|access token|invalid private integration|jwt", re.IGNORECASE
)
NOT_FOUND = re.compile(r"not found", re.IGNORECASE)
DEFAULT_WAIT_S = 10.0


class TokenRefusedError(CredentialsError):
    """GHL does not take this access token: another one may do."""


def failure_of(
    operation: Operation, subject: str, status: int, headers: Mapping[str, str], body: Any
) -> TimerexGhlError:
    """Say what an answer that is no success means.

    Args:
        operation: What was asked.
        subject: Our name for the record, an id.
        status: The HTTP status.
        headers: The answer's.
        body: Its JSON; None where it had none.
    """
    said = f"GHL answered {status} to {operation.name} ({subject})"
    message = _message_of(body)
    match status // 100, status:
        case 3, _:
            return CredentialsError(f"{said}, a redirect: check the API address and the token")
        case _, 429:
            return RateLimitedError(said, after_s=wait_of(headers))
        case _, 401 | 403:
            return _refused(operation, said, message)
        case 4, _ if status == HTTPStatus.NOT_FOUND or NOT_FOUND.search(message):
            return NotFoundError(said)
        case 4, _:
            return _duplicate_of(body, said) or SkippableError(said + _fields_in(message))
        case _:
            return UnknownOutcomeError(said) if operation.writes else RetryableError(said)


def wait_of(headers: Mapping[str, str]) -> float:
    """Read how long to wait: `Retry-After` in seconds, else the window's length."""
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    interval = headers.get("x-ratelimit-interval-milliseconds", "")
    return float(interval) / 1000 if interval.isdigit() else DEFAULT_WAIT_S


def _refused(operation: Operation, said: str, message: str) -> TimerexGhlError:
    if "scope" in message and "authClass" not in message:
        return ScopeError(
            f"GHL refused {operation.name}: the token lacks {operation.scope}; grant it in GHL"
            " and publish the connection again",
            scope=operation.scope,
        )
    if TOKEN_REFUSED.search(message):
        return TokenRefusedError(f"{said}: it does not accept the token")
    return CredentialsError(f"{said}: check that the credentials belong to this location")


def _duplicate_of(body: Any, said: str) -> DuplicateContactError | None:
    meta = cast("Mapping[str, Any]", body).get("meta") if isinstance(body, dict) else None
    if not isinstance(meta, dict):
        return None
    found = cast("Mapping[str, Any]", meta)
    if not found.get("contactId"):
        return None
    field = found.get("matchingField")
    return DuplicateContactError(
        f"{said}: it is contact {found['contactId']}",
        contact_id=str(found["contactId"]),
        matching_field=str(field) if field else None,
    )


def _message_of(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    message = cast("Mapping[str, Any]", body).get("message")
    if isinstance(message, list):
        return " ".join(str(line) for line in cast("list[Any]", message))
    return str(message or "")


def _fields_in(message: str) -> str:
    """Name the fields a refusal is about: only names we know, never a value."""
    found = sorted(KNOWN.intersection(re.findall(r"[A-Za-z0-9]+", message)))
    return f": check {', '.join(found)}" if found else ""
