"""GHL's error answers as our errors. GHL's messages never leave this module: they may name people.

Source: the error bodies of the published OpenAPI files, docs/vendors/ghl.md#access and #contacts.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from timerex_ghl.adapters.ghl.mappers import FIELDS, Json
from timerex_ghl.adapters.ghl.operations import GhlOperation
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    DuplicateContactError,
    NotFoundError,
    OutageError,
    RateLimitedError,
    ScopeError,
    SettingsError,
    SkippableError,
    SlotRefusedError,
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
SLOT_REFUSED = re.compile(r"\bslot\b.*\b(no longer|not) available\b", re.IGNORECASE)
"""GHL's words for a time that its calendar does not offer (docs/vendors/ghl.md#appointments)."""

TRACE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")
DEFAULT_WAIT_S = 10.0
LONGEST_WAIT_S = 86_400.0
"""The daily limit's window: no answer pauses a location for longer."""


class GhlTokenRefusedError(CredentialsError):
    """GHL refuses this access token; a new one may work."""


def failure_of(
    operation: GhlOperation, call: str, status: int, headers: Mapping[str, str], body: Any
) -> TimerexGhlError:
    """Map an unsuccessful answer to an error.

    Args:
        operation: The operation called.
        call: The call as shown in messages.
        status: The HTTP status.
        headers: Headers of the answer.
        body: JSON of the answer; None where it had none.
    """
    answer = _object(body)
    said = f"GHL answered {status} to {call}{_id_of_request(answer)}"
    match status // 100, status:
        case _, 429:
            return RateLimitedError(said, after_s=wait_of(headers))
        case (5, _) | (_, 408):
            return lost_answer(operation, said)
        case 4, _ if not is_page(headers):
            return _refusal_of(operation, said, status, answer)
        case _:
            return CredentialsError(
                f"{said}, unlike GHL: check the API address and the credentials"
            )


def lost_answer(operation: GhlOperation, what: str) -> OutageError:
    """Return the error where no answer can be read: the outcome of a write is then unknown."""
    kind = UnknownOutcomeError if operation.writes else OutageError
    return kind(what, service="GHL")


def is_page(headers: Mapping[str, str]) -> bool:
    """Return whether a web page answered: a login, a proxy, another server."""
    return "html" in headers.get("content-type", "")


def wait_of(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait: `Retry-After`, else the window's length."""
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
            return SettingsError(f"{said}: no such operation, check the API address")
        case _ if status == HTTPStatus.NOT_FOUND or NOT_FOUND.search(message):
            return NotFoundError(said)
        case _ if SLOT_REFUSED.search(message):
            return SlotRefusedError(said)
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
        return GhlTokenRefusedError(f"{said}: the token is not accepted")
    if "version" in message:
        return SettingsError(f"{said}: API version {operation.version} is no longer supported")
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
    """Return GHL's message: a string, or a list of strings after validation."""
    message = answer.get("message")
    lines = cast("list[Any]", message) if isinstance(message, list) else [message or ""]
    return " ".join(str(line) for line in lines)


def _object(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _id_of_request(answer: Json) -> str:
    trace_id = str(answer.get("traceId") or "")
    return f", trace {trace_id}" if TRACE_ID.fullmatch(trace_id) else ""


def _fields_in(message: str) -> str:
    """List the fields a refusal names: only known names, never a value."""
    found = sorted(KNOWN.intersection(re.findall(r"[A-Za-z0-9]+", message)))
    return f": check {', '.join(found)}" if found else ""
