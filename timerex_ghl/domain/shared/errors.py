"""Errors, classified by what to do next.

Messages have our ids, field names and a status, never personal data: Prefect stores them.
"""

from collections.abc import Iterable
from typing import Literal

from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.domain.shared.record_ref import RecordRef

Question = Literal["identity", "conflict", "no-key", "gone"]
"""What a review asks: which contact, whose value, which e-mail or phone, what to do."""

ReviewKind = Literal[
    "identity", "conflict", "no-key", "gone", "refused", "dead-letter", "deletes", "lost-move"
]
"""Why a review was opened: a question, a refused write, a dead letter, many deletes, or a moved
booking whose new time never arrived."""


Service = Literal["GHL", "TimeRex"]


class TimerexGhlError(Exception):
    """Base class of all errors of this project.

    Attributes:
        subject: What a review of it is about; None: the event or record that was being processed.
    """

    subject: RecordRef | None = None


class RetryableError(TimerexGhlError):
    """Try again later: an outage, a timeout, a lock of another process.

    Attributes:
        after_s: Wait at least this long; None where nothing is known.
    """

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class LockedError(RetryableError):
    """Another process has the lock.

    Attributes:
        holder: Name of that process, by `holder_name`.
    """

    def __init__(self, name: str, holder: str, *, after_s: float | None = None) -> None:
        super().__init__(f"{name} is locked by {holder}", after_s=after_s)
        self.holder = holder


class RateLimitedError(RetryableError):
    """The service answered 429. The wait does not count as an attempt."""


class OutageError(RetryableError):
    """The service cannot be reached, or fails by itself: that need not be the record's fault.

    Attributes:
        service: The service.
    """

    def __init__(self, message: str, *, service: Service) -> None:
        super().__init__(message)
        self.service: Service = service


class UnknownOutcomeError(OutageError):
    """A write was sent and its answer never read: it may have happened. Check before resending."""


class SkippableError(TimerexGhlError):
    """Set this record aside: the service refuses it as it is."""


class NotFoundError(SkippableError):
    """The service does not have the record, or no longer."""


class SlotRefusedError(SkippableError):
    """GHL's calendar does not offer this time: the slot is taken, or the calendar is closed."""


class QuarantineError(SkippableError):
    """What an event reports cannot be confirmed: it is stored, and nothing is written."""


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
    """A person must decide.

    Attributes:
        kind: The question.
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


class ContactGoneError(ReviewNeededError):
    """A linked GHL contact is gone: deleted, or merged into another one.

    Attributes:
        contact_id: The workspace contact that it was linked to.
        ghl_id: The GHL contact that is gone; empty where the link to it was dropped.
    """

    def __init__(self, contact_id: str, ghl_id: str) -> None:
        which = f"GHL contact {ghl_id}" if ghl_id else f"the GHL contact of {contact_id}"
        super().__init__(
            f"{which} is gone: nothing was written",
            kind="gone",
            people=[contact_id],
            ghl_ids=[ghl_id] if ghl_id else [],
        )
        self.subject = RecordRef.contact(ContactId(contact_id))
        self.contact_id = contact_id
        self.ghl_id = ghl_id


class FatalError(TimerexGhlError):
    """Stop: retries and other records would fail, too, until the setup is corrected."""


class ServiceDownError(FatalError):
    """A service does not answer at all: what is unfinished is done once it does."""


class CredentialsError(FatalError):
    """The service does not accept the credentials: enter new ones and publish again."""


class ScopeError(FatalError):
    """The token lacks a scope. Nothing was done.

    Attributes:
        scope: The missing scope, for example `contacts.write`.
        was_asked: The service said so, and each further record would cost a failing call.
    """

    def __init__(self, message: str, *, scope: str, was_asked: bool = True) -> None:
        super().__init__(message)
        self.scope = scope
        self.was_asked = was_asked


class SettingsError(FatalError):
    """A setting is wrong; the message says which, and what to enter instead."""
