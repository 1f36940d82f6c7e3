"""GHL's refusals, told by what to do next. Its own words never leave here: they may name people.

Source: the error bodies of the published OpenAPI files, and recorded answers.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from timerex_ghl.adapters.ghl.mappers import FIELDS, Json
from timerex_ghl.adapters.ghl.operations import GhlOperation
from timerex_ghl.domain.errors import (
    CredentialsError,
    DuplicateContactError,
    NotFoundError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    SettingsError,
    SkippableError,
    TimerexGhlError,
    UnknownOutcomeError,
)

KNOWN = frozenset({*FIELDS, "customFields", "tags", "body", "locationId", "name"})
TOKEN_REFUSED = re.compile(
    r"invalid token|access token|invalid private integration|jwt|expired", re.IGNORECASE
)
NOT_FOUND = re.compile(
    r"\b(contact|note|task|appointment|location)\b.*\bnot found\b",
    re.IGNORECASE,
)
TRACE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")
DEFAULT_WAIT_S = 10.0
LONGEST_WAIT_S = 86_400.0
"""The daily limit's length: no answer stops a location for longer."""


class GhlTokenRefusedError(CredentialsError):
    """GHL does not take this access token: another one may do."""


def failure_of(
    operation: GhlOperation, call: str, status: int, headers: Mapping[str, str], body: Any
) -> TimerexGhlError:
    """Say what an answer that is no success means.

    Args:
        operation: What was asked.
        call: The same, as it may be shown.
        status: The HTTP status.
        headers: The answer's.
        body: Its JSON; None where it had none.
    """
    answer = _object(body)
    said = f"GHL answered {status} to {call}{_id_of_request(answer)}"
    match status // 100, status:
        case _, 429:
            return RateLimitedError(said, after_s=wait_of(headers))
        case (5, _) | (_, 408):
            return UnknownOutcomeError(said) if operation.writes else RetryableError(said)
        case 4, _ if not is_page(headers):
            return _refusal_of(operation, said, status, answer)
        case _:
            return CredentialsError(f"{said}, not as GHL does: check API address and credentials")


def is_page(headers: Mapping[str, str]) -> bool:
    """Tell whether a web page answered: a login, a proxy, somebody else's server."""
    return "html" in headers.get("content-type", "")


def wait_of(headers: Mapping[str, str]) -> float:
    """Read how long to wait: `Retry-After` in seconds, else the window's length."""
    after = headers.get("retry-after", "")
    interval = headers.get("x-ratelimit-interval-milliseconds", "")
    if after.isdecimal():
        return min(float(after), LONGEST_WAIT_S)
    return min(float(interval) / 1000, LONGEST_WAIT_S) if interval.isdecimal() else DEFAULT_WAIT_S


def _refusal_of(operation: GhlOperation, said: str, status: int, answer: Json) -> TimerexGhlError:
    message = _message_of(answer)
    match status:
        case 401 | 403:
            return _refused(operation, said, message)
        case 404 if not answer or message.startswith("Cannot "):
            return SettingsError(f"{said}: it has no such operation, check the API address")
        case _ if status == HTTPStatus.NOT_FOUND or NOT_FOUND.search(message):
            return NotFoundError(said)
        case _:
            return _duplicate_of(answer, said) or SkippableError(said + _fields_in(message))


def _refused(operation: GhlOperation, said: str, message: str) -> TimerexGhlError:
    if "not authorized for this scope" in message:
        return ScopeError(
            f"{said}: the token lacks {operation.scope}; grant it in GHL and publish the"
            " connection again",
            scope=operation.scope,
        )
    if TOKEN_REFUSED.search(message):
        return GhlTokenRefusedError(f"{said}: it does not accept the token")
    if "version" in message:
        return SettingsError(f"{said}: it no longer speaks version {operation.version}")
    return CredentialsError(f"{said}: check that the credentials belong to this location")


def _duplicate_of(answer: Json, said: str) -> DuplicateContactError | None:
    found = _object(answer.get("meta"))
    if not found.get("contactId"):
        return None
    field = found.get("matchingField")
    return DuplicateContactError(
        f"{said}: it is contact {found['contactId']}",
        contact_id=str(found["contactId"]),
        matching_field=str(field) if field else None,
    )


def _message_of(answer: Json) -> str:
    """Read GHL's words: a string, or after validation a list of them."""
    message = answer.get("message")
    lines = cast("list[Any]", message) if isinstance(message, list) else [message or ""]
    return " ".join(str(line) for line in lines)


def _object(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _id_of_request(answer: Json) -> str:
    trace_id = str(answer.get("traceId") or "")
    return f", trace {trace_id}" if TRACE_ID.fullmatch(trace_id) else ""


def _fields_in(message: str) -> str:
    """Name the fields a refusal is about: only names we know, never a value."""
    found = sorted(KNOWN.intersection(re.findall(r"[A-Za-z0-9]+", message)))
    return f": check {', '.join(found)}" if found else ""
