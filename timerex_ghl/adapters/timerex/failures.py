"""TimeRex's refusals, told by what to do next. Its own words never leave here.

Source: TimeRex developer portal: 400, 401, 403, 404 and 429; a 429 without a time to wait.
"""

from collections.abc import Mapping
from http import HTTPStatus

from timerex_ghl.adapters.timerex.operations import TimerexOperation
from timerex_ghl.domain.errors import (
    CredentialsError,
    NotFoundError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    SettingsError,
    SkippableError,
    TimerexGhlError,
    UnknownOutcomeError,
)

WAIT_S = 30.0
"""After a 429: the longer of the two times that the portal names."""
LONGEST_WAIT_S = 3600.0


class TimerexTokenRefusedError(CredentialsError):
    """TimeRex does not take this token: another one may do."""


def failure_of(
    operation: TimerexOperation,
    call: str,
    status: int,
    headers: Mapping[str, str],
    *,
    has_scopes: bool,
) -> TimerexGhlError:
    """Say what an answer that is no success means.

    Args:
        operation: What was asked.
        call: The same, as it may be shown.
        status: The HTTP status.
        headers: The answer's.
        has_scopes: The credentials may lack a right; else what is forbidden is another team's.
    """
    said = f"TimeRex answered {status} to {call}"
    match status // 100, status:
        case _, 429:
            return RateLimitedError(said, after_s=wait_of(headers))
        case (5, _) | (_, 408):
            return UnknownOutcomeError(said) if operation.writes else RetryableError(said)
        case 4, _ if not is_page(headers):
            return _refusal_of(operation, said, status, headers, has_scopes=has_scopes)
        case _:  # a login page: so one client reports the answer to a bad key
            return CredentialsError(f"{said}, not as its API does: check API address and key")


def is_page(headers: Mapping[str, str]) -> bool:
    """Tell whether a web page answered: a login, a proxy, somebody else's server."""
    return "html" in headers.get("content-type", "")


def wait_of(headers: Mapping[str, str]) -> float:
    """Read how long to wait, should TimeRex ever say so."""
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
            return TimerexTokenRefusedError(f"{said}: it does not accept the credentials")
        case HTTPStatus.FORBIDDEN if has_scopes:
            return ScopeError(
                f"{said}: the OAuth app lacks {operation.scope}, or it is another team's",
                scope=operation.scope,
            )
        case HTTPStatus.FORBIDDEN:
            return NotFoundError(f"{said}: it is another team's than the API key's")
        case HTTPStatus.NOT_FOUND if "json" not in headers.get("content-type", ""):
            return SettingsError(f"{said}: it has no such operation, check the API address")
        case HTTPStatus.NOT_FOUND:
            return NotFoundError(said)
        case _:
            return SkippableError(said)
