"""How a record ends whose handler raised an error."""

from datetime import timedelta

import pytest

from timerex_ghl.domain.monitoring.outage import PATIENCE
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    LockedError,
    NotFoundError,
    OutageError,
    QuarantineError,
    RateLimitedError,
    RetryableError,
    ReviewKind,
    ReviewNeededError,
    ScopeError,
    SettingsError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.outcome import What
from timerex_ghl.domain.shared.verdicts import (
    MAX_ATTEMPTS,
    WITHOUT_RIGHT_S,
    in_outage,
    is_final,
    judge,
)


@pytest.mark.parametrize(
    "error",
    [
        RateLimitedError("GHL's limit is used up"),
        LockedError("aoba:contact:c1", "another run"),
        CredentialsError("GHL refuses the token"),
        SettingsError("no such calendar"),
        ScopeError("contacts.write is missing", scope="contacts.write"),
    ],
)
def test_what_has_to_wait_for_something_else_counts_as_no_attempt(error: Exception) -> None:
    verdict = judge(error)

    assert (verdict.what, verdict.is_attempt, verdict.after_s) == ("waiting", False, None)


@pytest.mark.parametrize(
    "error",
    [RetryableError("503"), UnknownOutcomeError("no answer", service="GHL"), KeyError("a value")],
)
def test_what_failed_is_tried_again_and_counts_as_an_attempt(error: Exception) -> None:
    verdict = judge(error)

    assert (verdict.what, verdict.is_attempt, verdict.review) == ("waiting", True, None)


@pytest.mark.parametrize(
    ("error", "what", "review"),
    [
        (NotFoundError("the contact is gone"), "dead", "refused"),
        (QuarantineError("unknown to TimeRex"), "quarantined", "refused"),
        (ReviewNeededError("two contacts", kind="identity"), "review", "identity"),
    ],
)
def test_what_needs_a_person_opens_a_review(
    error: Exception, what: What, review: ReviewKind
) -> None:
    assert judge(error)[:3] == (what, str(error), review)


def test_a_right_that_is_known_to_be_missing_keeps_only_its_record_waiting() -> None:
    error = ScopeError("contacts.write is missing", scope="contacts.write", was_asked=False)

    assert judge(error).after_s == WITHOUT_RIGHT_S


def test_the_text_of_an_unknown_error_is_not_kept() -> None:
    assert judge(ValueError("riku@hinode.example")).reason == "unexpected ValueError"


def test_what_the_service_failed_at_is_given_up_after_days_only() -> None:
    verdict = judge(OutageError("GHL answered 503", service="GHL"))

    assert not is_final(verdict, MAX_ATTEMPTS, PATIENCE - timedelta(minutes=1))
    assert not is_final(verdict, MAX_ATTEMPTS - 1, PATIENCE)
    assert is_final(verdict, MAX_ATTEMPTS, PATIENCE)
    assert is_final(judge(KeyError("a value")), MAX_ATTEMPTS, timedelta(0))


def test_an_outage_counts_as_no_attempt_and_events_are_due_once_it_ends() -> None:
    verdict = judge(OutageError("GHL answered 503", service="GHL"))

    assert in_outage(verdict, "GHL").after_s == 0
    assert not in_outage(verdict, "GHL").is_attempt
    assert in_outage(verdict, "TimeRex").after_s == 60
