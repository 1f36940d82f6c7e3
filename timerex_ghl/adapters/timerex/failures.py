"""TimeRex's error answers as our errors. TimeRex's messages never leave this module.

Source: docs/vendors/timerex.md#rest-api-beta: 400, 401, 403, 404 and 429; a 429 names no wait.
"""

from collections.abc import Mapping
from http import HTTPStatus

from timerex_ghl.adapters.timerex.operations import TimerexOperation
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    NotFoundError,
    OutageError,
    RateLimitedError,
    ScopeError,
    SettingsError,
    SkippableError,
    TimerexGhlError,
    UnknownOutcomeError,
)

WAIT_S = 30.0
"""Wait after a 429: the longer of the two times in the portal."""
LONGEST_WAIT_S = 3600.0


class TimerexTokenRefusedError(CredentialsError):
    """TimeRex refuses this token; a new one may work."""


def failure_of(
    operation: TimerexOperation,
    call: str,
    status: int,
    headers: Mapping[str, str],
    *,
    has_scopes: bool,
) -> TimerexGhlError:
    """Map an unsuccessful answer to an error.

    Args:
        operation: The operation called.
        call: The call as shown in messages.
        status: The HTTP status.
        headers: Headers of the answer.
        has_scopes: A 403 may be a missing scope; False: the record belongs to another team.
    """
    said = f"TimeRex answered {status} to {call}"
    match status // 100, status:
        case _, 429:
            return RateLimitedError(said, after_s=wait_of(headers))
        case (5, _) | (_, 408):
            return lost_answer(operation, said)
        case 4, _ if not is_page(headers):
            return _refusal_of(operation, said, status, headers, has_scopes=has_scopes)
        case _:  # a login page: one client reports it as the answer to a bad key
            return CredentialsError(f"{said}, unlike its API: check the API address and the key")


def lost_answer(operation: TimerexOperation, what: str) -> OutageError:
    """Return the error where no answer can be read: the outcome of a write is then unknown."""
    kind = UnknownOutcomeError if operation.writes else OutageError
    return kind(what, service="TimeRex")


def is_page(headers: Mapping[str, str]) -> bool:
    """Return whether a web page answered: a login, a proxy, another server."""
    return "html" in headers.get("content-type", "")


def wait_of(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait: `Retry-After` if TimeRex ever sends it, else `WAIT_S`."""
    after = headers.get("retry-after", "")
    return min(float(after), LONGEST_WAIT_S) if after.isdecimal() else WAIT_S


def _refusal_of(
    operation: TimerexOperation,
    said: str,
    status: int,
    headers: Mapping[str, str],
    *,
    has_scopes: bool,
) -> TimerexGhlError:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return TimerexTokenRefusedError(f"{said}: the credentials are not accepted")
        case HTTPStatus.FORBIDDEN if has_scopes:
            return ScopeError(
                f"{said}: the OAuth app lacks {operation.scope}, or the record is of another team",
                scope=operation.scope,
            )
        case HTTPStatus.FORBIDDEN:
            return NotFoundError(f"{said}: the record belongs to another team than the API key")
        case HTTPStatus.NOT_FOUND if "json" not in headers.get("content-type", ""):
            return SettingsError(f"{said}: no such operation, check the API address")
        case HTTPStatus.NOT_FOUND:
            return NotFoundError(said)
        case _:
            return SkippableError(said)
