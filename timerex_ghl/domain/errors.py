"""What went wrong, told by what to do next.

Messages carry our ids, field names and a status, never a person's details: Prefect stores them.
"""

from collections.abc import Iterable
from typing import Literal

Question = Literal["identity", "conflict", "no-key", "gone"]
"""What a person is asked: who is who, whose value stands, by what to know somebody, what now."""


class TimerexGhlError(Exception):
    """Something this program can name."""


class RetryableError(TimerexGhlError):
    """Try again later: an outage, a timeout, a lock somebody else holds.

    Attributes:
        after_s: Wait at least this long; None where nothing is known.
    """

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class RateLimitedError(RetryableError):
    """The other side said 429: waiting, which counts as no attempt."""


class UnknownOutcomeError(RetryableError):
    """A write was sent and its answer never read: it may have happened. Look, then send."""


class SkippableError(TimerexGhlError):
    """Set this record aside: the other side refuses it as it is."""


class NotFoundError(SkippableError):
    """The record is not (or no longer) on the other side."""


class QuarantineError(SkippableError):
    """Nobody confirms what an event told: it is kept, and nothing is written."""


class DuplicateContactError(SkippableError):
    """GHL refused to create a contact and named the one that exists.

    Attributes:
        contact_id: The existing contact's id.
        matching_field: The field GHL matched on, where it said so.
    """

    def __init__(self, message: str, *, contact_id: str, matching_field: str | None) -> None:
        super().__init__(message)
        self.contact_id = contact_id
        self.matching_field = matching_field


class ReviewNeededError(TimerexGhlError):
    """Ask a person.

    Attributes:
        kind: What has to be decided.
        people: The workspace's contacts it is about.
        ghl_ids: GHL's contacts it is about.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Question,
        people: Iterable[str] = (),
        ghl_ids: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.kind: Question = kind
        self.people = tuple(people)
        self.ghl_ids = tuple(ghl_ids)


class FatalError(TimerexGhlError):
    """Stop: no retry and no other record would fare better until somebody changes something."""


class CredentialsError(FatalError):
    """The other side does not accept the credentials: enter new ones and publish again."""


class ScopeError(FatalError):
    """The token lacks a right. Nothing was done.

    Attributes:
        scope: The missing scope, for example `contacts.write`.
        was_asked: The other side said so, and each further record would cost a call to hear it.
    """

    def __init__(self, message: str, *, scope: str, was_asked: bool = True) -> None:
        super().__init__(message)
        self.scope = scope
        self.was_asked = was_asked


class SettingsError(FatalError):
    """A setting is wrong; the message says which, and what to enter instead."""
