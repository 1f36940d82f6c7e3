"""The record boundary: one record's error stays with that record, and is kept in the ledger."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import ghl_contacts, inbox, reviews, workspace
from timerex_ghl.adapters.ledger.inbox import InboxEvent, InboxState
from timerex_ghl.adapters.ledger.reviews import ReviewKind
from timerex_ghl.carry.outcome import Outcome, What
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.sync.errors import (
    FatalError,
    QuarantineError,
    RateLimitedError,
    RetryableError,
    ReviewNeededError,
    SkippableError,
    TimerexGhlError,
)
from timerex_ghl.sync.models import ConnectionName, ContactId, EventId, GhlContactId

MAX_ATTEMPTS = 12
"""Tries of one event before it is given up and kept for a person."""


class Verdict(NamedTuple):
    """What an error means for its record.

    Attributes:
        people: The workspace's contacts that a review is about, where the error names them.
        ghl_ids: GHL's contacts that it is about.
        reason: Fit to be stored and shown: our own words, or only the type of a stranger's error.
        review: The kind of review a person gets; None where the record is tried again.
        is_attempt: A wait (429) is not one.
    """

    what: What
    reason: str
    review: ReviewKind | None = None
    is_attempt: bool = True
    people: tuple[str, ...] = ()
    ghl_ids: tuple[str, ...] = ()


def judge(error: Exception) -> Verdict:
    """Tell what becomes of the record."""
    if not isinstance(error, TimerexGhlError):  # its text may hold anything
        return Verdict("waiting", f"unexpected {type(error).__name__}")
    match error:
        case RateLimitedError():
            return Verdict("waiting", str(error), is_attempt=False)
        case RetryableError():
            return Verdict("waiting", str(error))
        case ReviewNeededError():
            return Verdict(
                "review",
                str(error),
                review=error.kind,
                people=error.people,
                ghl_ids=error.ghl_ids,
            )
        case SkippableError():
            what: What = "quarantined" if isinstance(error, QuarantineError) else "dead"
            return Verdict(what, str(error), review="refused")
        case _:
            return Verdict("waiting", str(error), is_attempt=False)


async def carry_event(
    sides: Sides,
    carry: Callable[[Sides, InboxEvent], Awaitable[Outcome]],
    event_id: EventId,
    *,
    replay: bool = False,
) -> Outcome:
    """Carry one inbox event; whatever happens to it stands in the ledger afterwards.

    Raises:
        FatalError: No other record would fare better. The event goes on waiting.
    """
    event = await sides.ledger.read(inbox.read_event, event_id)
    if event is None or (event.state is not InboxState.WAITING and not replay):
        return Outcome(what="skipped")
    try:
        outcome = await carry(sides, event)
    except Exception as error:  # the one place where a record's error is stored
        outcome = await sides.ledger.write(_note_event_error, event, judge(error), utc_now())
        if isinstance(error, FatalError):
            raise
        return outcome
    await sides.ledger.write(_note_event_end, event, InboxState(outcome.what), utc_now())
    return outcome


def _note_event_end(tx: Connection, event: InboxEvent, state: InboxState, now: datetime) -> None:
    inbox.settle_event(tx, event.id, state, now=now)
    if event.connection is not None:
        subject = f"event:{event.id}"
        reviews.settle_subjects(tx, event.connection, [subject], by="a later run", now=now)


def _note_event_error(
    tx: Connection, event: InboxEvent, verdict: Verdict, now: datetime
) -> Outcome:
    attempts = event.attempts + verdict.is_attempt
    if verdict.what == "waiting" and attempts >= MAX_ATTEMPTS:
        verdict = verdict._replace(what="dead", review="dead-letter")
    if verdict.what == "waiting":
        next_at = now + timedelta(seconds=min(2.0 ** (attempts + 1), 3600))
        inbox.postpone_event(
            tx, event.id, error=verdict.reason, next_at=next_at, counts=verdict.is_attempt
        )
        return Outcome(what="waiting")
    inbox.settle_event(tx, event.id, InboxState(verdict.what), now=now, note=verdict.reason)
    if event.connection is not None and verdict.review is not None:
        _open_review(tx, event.connection, f"event:{event.id}", verdict, now)
    return Outcome(what=verdict.what)


async def carry_person(
    sides: Sides, carry: Callable[[Sides, str], Awaitable[Outcome]], key: str
) -> Outcome:
    """Carry one person of a bulk run; an error that needs somebody becomes a review.

    What may fare better next time needs no row: the person still differs, and the next run sees it.

    Raises:
        FatalError: No other record would fare better.
    """
    try:
        with sides.ledger.in_step():
            return await carry(sides, key)
    except FatalError:
        raise
    except Exception as error:  # noqa: BLE001  the one place where a record's error is stored
        verdict = judge(error)
        if not isinstance(error, TimerexGhlError):
            verdict = verdict._replace(what="dead", review="dead-letter")
        if verdict.review is not None:
            await sides.ledger.write(_open_review, sides.connection, key, verdict, utc_now())
        return Outcome(what=verdict.what)


def _open_review(
    tx: Connection, connection: ConnectionName, subject: str, verdict: Verdict, now: datetime
) -> None:
    if verdict.review is None:
        return
    reviews.open_review(
        tx,
        connection=connection,
        kind=verdict.review,
        subject=subject,
        reason=verdict.reason,
        detail={"people": [*verdict.people], "ghl_ids": [*verdict.ghl_ids]},
        seen=_seen(tx, connection, subject),
        now=now,
    )


def _seen(tx: Connection, connection: ConnectionName, subject: str) -> str:
    """Give the state of a record that a review is opened for: unchanged, it is not tried again."""
    kind, _, record_id = subject.partition(":")
    if kind == "contact":
        row = workspace.get_contact(tx, connection, ContactId(record_id))
        return "" if row is None else str(row.version)
    if kind == "ghl":
        return ghl_contacts.digest_now(tx, connection, GhlContactId(record_id)) or ""
    return ""
