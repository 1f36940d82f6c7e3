"""The error boundary: one record's error stays with that record, and is stored in the ledger."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_queue
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent, InboxState
from timerex_ghl.adapters.ledger.tables.inbox.inbox_queue import Group
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.audit import NewAuditEntry, Scalar
from timerex_ghl.adapters.ledger.tables.operations.reviews import OpenedReview
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey
from timerex_ghl.domain.shared.errors import (
    FatalError,
    OutageError,
    ServiceDownError,
    TimerexGhlError,
)
from timerex_ghl.domain.shared.models import (
    BookingId,
    ConnectionName,
    ContactId,
    EventId,
    GhlContactId,
)
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.domain.shared.verdicts import (
    ErrorVerdict,
    in_outage,
    is_final,
    judge,
    pause_after,
)
from timerex_ghl.engine.bookings.answered_reviews import answered_by
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.outages import is_outage
from timerex_ghl.engine.writes.close_reviews import close_answered


async def process_event(
    context: SyncContext,
    handle: Callable[[SyncContext, InboxEvent], Awaitable[Outcome]],
    event_id: EventId,
    *,
    replay: bool = False,
) -> Outcome:
    """Process one inbox event and store its outcome in the ledger, whatever happens.

    Of several pending notifications about one record the newest is processed and the others are
    superseded.

    Raises:
        FatalError: Every other record would fail, too. The event stays pending.
    """
    group = await context.ledger.read(inbox_queue.read_group, event_id)
    if group is None or (group.event.state is not InboxState.WAITING and not replay):
        return Outcome(what="skipped")
    try:
        outcome = await handle(context, group.event)
    except Exception as error:  # the one place where a record's error is stored
        verdict = judge(error)
        if isinstance(error, OutageError) and await is_outage(context, error):
            verdict = in_outage(verdict, error.service)
        outcome = await context.ledger.write(_note_error, context, group, verdict, context.now())
        if isinstance(error, FatalError):
            raise
        return outcome
    await context.ledger.write(_note_end, context, group, outcome, context.now())
    return outcome


def _note_end(
    tx: Connection, context: SyncContext, group: Group, outcome: Outcome, now: datetime
) -> None:
    event = group.event
    inbox.finish_events(tx, [event.id], InboxState(outcome.what), now=now)
    _note_older(tx, context, group, now)
    _record_audit(tx, context, event.id, outcome, {**_source_of(event), **outcome.detail}, now)
    answered = [RecordRef.event(event.id), *_answered(tx, event, outcome)]
    close_answered(tx, context.connection, answered, now)


def _answered(tx: Connection, event: InboxEvent, outcome: Outcome) -> list[RecordRef]:
    """List what else is answered by an event of a booking after which GHL shows the booking."""
    is_shown = outcome.what in {"applied", "no-op", "superseded"} and event.origin != "timer"
    match event.record:
        case RecordRef("booking", record_id) if is_shown and event.connection is not None:
            return answered_by(tx, event.connection, BookingId(record_id))
        case _:
            return []


def _note_error(
    tx: Connection, context: SyncContext, group: Group, verdict: ErrorVerdict, now: datetime
) -> Outcome:
    event = group.event
    attempts = event.attempts + verdict.is_attempt
    if is_final(verdict, attempts, now - event.received_at):
        verdict = verdict._replace(what="dead", review="dead-letter")
    outcome = Outcome(what=verdict.what)
    if verdict.what == "waiting":
        pause_s = pause_after(attempts) if verdict.after_s is None else verdict.after_s
        next_at = now + timedelta(seconds=pause_s)
        inbox.postpone_events(
            tx, group.ids, error=verdict.reason, next_at=next_at, counts=verdict.is_attempt
        )
        return outcome
    if verdict.review is not None:
        opened = _open_review(
            tx, context.connection, RecordRef.event(event.id), verdict, now, event
        )
        if opened.is_dropped:
            outcome = Outcome(what="ignored")
    inbox.finish_events(tx, [event.id], InboxState(outcome.what), now=now, note=verdict.reason)
    _note_older(tx, context, group, now)
    _record_audit(tx, context, event.id, outcome, _source_of(event), now)
    return outcome


def _note_older(tx: Connection, context: SyncContext, group: Group, now: datetime) -> None:
    """Mark older notifications as superseded by the one that was processed."""
    if not group.older:
        return
    inbox.finish_events(tx, group.older, InboxState.SUPERSEDED, now=now)
    for event_id in group.older:
        outcome = Outcome(what="superseded")
        _record_audit(
            tx, context, event_id, outcome, {"by": group.event.id, **_source_of(group.event)}, now
        )


def _source_of(event: InboxEvent) -> dict[str, Scalar]:
    return {"source": event.source, "record": str(event.record or "")}


def _record_audit(
    tx: Connection,
    context: SyncContext,
    event_id: EventId,
    outcome: Outcome,
    detail: Mapping[str, Scalar],
    now: datetime,
) -> None:
    """Record the outcome of an event in the audit, with its runs."""
    entry = NewAuditEntry(
        now,
        context.connection,
        f"event {outcome.what}",
        RecordRef.event(event_id),
        context.run_id,
        {**detail, "ghl": outcome.contact_id, "writes": outcome.writes},
        context.flow_run_id,
    )
    audit.record_all(tx, [entry])


async def process_record(
    context: SyncContext,
    handle: Callable[[SyncContext, RecordRef], Awaitable[Outcome]],
    key: RecordRef,
) -> Outcome:
    """Process one record of a bulk run; an error that needs a person opens a review.

    A retryable error needs no row: the record still differs, and the next run finds it.

    Raises:
        FatalError: Every other record would fail, too.
        ServiceDownError: A service does not answer.
    """
    try:
        with context.ledger.in_step():
            return await handle(context, key)
    except FatalError:
        raise
    except OutageError as error:
        if await is_outage(context, error):
            raise ServiceDownError(f"{error.service} does not answer: {error}") from error
        return Outcome(what="waiting")
    except Exception as error:  # noqa: BLE001  the one place where a record's error is stored
        verdict = judge(error)
        if not isinstance(error, TimerexGhlError):
            verdict = verdict._replace(what="dead", review="dead-letter")
        if verdict.review is not None:
            await context.ledger.write(
                _open_review, context.connection, key, verdict, context.now()
            )
        return Outcome(what=verdict.what)


def _open_review(
    tx: Connection,
    connection: ConnectionName,
    processed: RecordRef,
    verdict: ErrorVerdict,
    now: datetime,
    event: InboxEvent | None = None,
) -> OpenedReview:
    """Open a review about a record of a bulk run; of an event, about what the error names, if that.

    In that case there is one for all events: those that wait for its answer are kept with it. One
    that a person dropped is asked again for an event of a booking or of the workspace; what GHL
    notifies of the same record is no news.
    """
    if verdict.review is None:
        raise AssertionError("only an error that a person must look at has a review")
    subject = processed if event is None else verdict.subject or processed
    detail = {"people": [*verdict.people], "ghl_ids": [*verdict.ghl_ids]}
    if subject.kind != "event":
        known = reviews.open_about(tx, connection, verdict.review, subject)
        waiting = [*(known.events if known else ()), *([event.id] if event else ())]
        detail |= {"events": [*dict.fromkeys(waiting)]} if waiting else {}
    return reviews.open_review(
        tx,
        connection=connection,
        kind=verdict.review,
        subject=subject,
        reason=verdict.reason,
        detail=detail,
        record_state=_record_state(tx, connection, subject),
        asks_again=subject.kind == "event" or (event is not None and event.source != "ghl"),
        now=now,
    )


def _record_state(tx: Connection, connection: ConnectionName, subject: RecordRef) -> str:
    """Return the state of a record with a new review: while unchanged it is not retried."""
    match subject:
        case RecordRef("contact", record_id):
            row = workspace_contacts.get_contact(tx, connection, ContactId(record_id))
            return "" if row is None else str(row.version)
        case RecordRef("note" | "task" as kind, record_id):
            key = ActivityKey(kind, ActivityId(record_id))
            activity = activities.get_activity(tx, connection, key)
            return "" if activity is None else str(activity.version)
        case RecordRef("ghl", record_id):
            return ghl_contacts.digest_now(tx, connection, GhlContactId(record_id)) or ""
        case _:
            return ""
