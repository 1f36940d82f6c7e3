"""What an error means for its record: how it ends, or when it is tried again."""

from datetime import timedelta
from typing import NamedTuple

from timerex_ghl.domain.monitoring.outage import LONGEST_PAUSE, PATIENCE
from timerex_ghl.domain.shared.errors import (
    LockedError,
    OutageError,
    QuarantineError,
    RateLimitedError,
    RetryableError,
    ReviewKind,
    ReviewNeededError,
    ScopeError,
    Service,
    SkippableError,
    TimerexGhlError,
)
from timerex_ghl.domain.shared.outcome import What
from timerex_ghl.domain.shared.record_ref import RecordRef

MAX_ATTEMPTS = 12
"""Attempts at one event before it becomes a dead letter."""


WITHOUT_RIGHT_S = 60.0
"""Seconds until a retry of an event whose write needs a scope that the token lacks."""


def pause_after(attempt_count: int) -> float:
    """Return the seconds to wait after so many attempts: doubling each time, an hour at most."""
    return min(2.0 ** (attempt_count + 1), 3600.0)


class ErrorVerdict(NamedTuple):
    """What an error means for its record.

    Attributes:
        people: The workspace's contacts that a review is about, where the error names them.
        ghl_ids: GHL's contacts that it is about.
        reason: Safe to store and show: our own message, or only the type of a foreign error.
        review: The kind of review to open; None where the record is retried.
        is_attempt: It counts as an attempt; a wait (429, a lock of another process) does not.
        subject: What a review is about, where that is not the event or record being processed.
        after_s: Seconds until the retry at the earliest; None: longer with each attempt.
        is_of_service: The service failed, which may not be the record's fault: it is not given up
            soon.
    """

    what: What
    reason: str
    review: ReviewKind | None = None
    is_attempt: bool = True
    people: tuple[str, ...] = ()
    ghl_ids: tuple[str, ...] = ()
    after_s: float | None = None
    subject: RecordRef | None = None
    is_of_service: bool = False


def is_final(verdict: ErrorVerdict, attempts: int, waited: timedelta) -> bool:
    """Return whether a record that failed so often is given up.

    Args:
        verdict: What the last error means.
        attempts: The attempts that count, with the last one.
        waited: Time since the record was first to be processed.
    """
    if verdict.is_of_service and waited < PATIENCE:
        return False
    return verdict.what == "waiting" and attempts >= MAX_ATTEMPTS


def in_outage(verdict: ErrorVerdict, service: Service) -> ErrorVerdict:
    """Return the verdict where the whole service is down: the record is due once it answers.

    Nothing is handed out while GHL is down, so it is due at once; TimeRex is needed by few.
    """
    after_s = 0.0 if service == "GHL" else LONGEST_PAUSE.total_seconds()
    return verdict._replace(is_attempt=False, after_s=after_s)


def judge(error: Exception) -> ErrorVerdict:
    """Decide from an error how its record ends, or when it is retried."""
    if not isinstance(error, TimerexGhlError):  # its text may hold anything
        return ErrorVerdict("waiting", f"unexpected {type(error).__name__}")
    match error:
        case RateLimitedError() | LockedError():
            return ErrorVerdict("waiting", str(error), is_attempt=False)
        case RetryableError():
            is_of_service = isinstance(error, OutageError)
            return ErrorVerdict("waiting", str(error), is_of_service=is_of_service)
        case ReviewNeededError():
            return ErrorVerdict(
                "review",
                str(error),
                review=error.kind,
                people=error.people,
                ghl_ids=error.ghl_ids,
                subject=error.subject,
            )
        case SkippableError():
            what: What = "quarantined" if isinstance(error, QuarantineError) else "dead"
            return ErrorVerdict(what, str(error), review="refused", subject=error.subject)
        case _:  # if only a known scope is missing, other events of the connection go on
            is_alone = isinstance(error, ScopeError) and not error.was_asked
            after_s = WITHOUT_RIGHT_S if is_alone else None
            return ErrorVerdict("waiting", str(error), is_attempt=False, after_s=after_s)
