"""Store a review's decision once, in the unit of work that has its effect."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.reviews.chosen_values import NOTHING_CHOSEN, ChosenValues
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.models import BookingId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.pending_moves import check_now
from timerex_ghl.engine.context import SyncContext


class ReviewCase(NamedTuple):
    """One review, and a person's decision about it."""

    context: SyncContext
    review: Review
    decision: Decision


class ReviewDecision(NamedTuple):
    """A decision that the reconciliation of a record applies.

    Attributes:
        cases: The reviews that the commit of the record closes.
        values: What was decided about its values.
    """

    cases: tuple[ReviewCase, ...] = ()
    values: ChosenValues = NOTHING_CHOSEN


NO_DECISION = ReviewDecision()


class ResolvedReview(NamedTuple):
    """A resolved review. `is_first`: this decision resolved it."""

    review: Review
    is_first: bool

    def in_words(self) -> str:
        """Return who resolved it, how and when, without personal data."""
        review = self.review
        if self.is_first:
            return f"{review.id} is resolved: {review.decision}"
        at = f"{review.resolved_at:%Y-%m-%d %H:%M} UTC" if review.resolved_at else "just now"
        return f"{review.id} was already resolved: {review.decision}, by {review.resolved_by}, {at}"


def close(tx: Connection, case: ReviewCase, now: datetime) -> bool:
    """Store the decision and who made it; False where the review is already resolved.

    The events that waited for it are handled again, unless it was dropped: then they end.
    """
    decision = case.decision
    is_first = reviews.resolve_review(
        tx, case.review.id, decision=decision.in_words(), by=decision.by, now=now
    )
    if not is_first:
        return False
    _record_audit(tx, case, "review resolved", now)
    if decision.way is Way.DROP:
        inbox.finish_events(tx, case.review.events, InboxState.IGNORED, now=now, note="dropped")
    else:
        _replay(tx, case, now)
    return True


def _replay(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Requeue the events that wait for the review, or check its move again."""
    subject = case.review.subject
    for event_id in case.review.events:
        inbox.requeue_event(tx, event_id)
    if case.review.kind == "lost-move":
        check_now(tx, case.context.connection, BookingId(subject.id), case.review.id, now)


async def is_open(case: ReviewCase) -> bool:
    """Check again after the claim: another run may have processed the record meanwhile."""
    now = await case.context.ledger.read(reviews.get_review, case.review.id)
    return now is not None and now.resolved_at is None


def note_late(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Record in the audit a decision about a review that was already resolved."""
    _record_audit(tx, case, "review was already resolved", now)


def _record_audit(tx: Connection, case: ReviewCase, what: str, now: datetime) -> None:
    decision = case.decision
    audit.record(
        tx,
        connection=case.context.connection,
        what=what,
        subject=RecordRef("review", case.review.id),
        run_id=case.context.run_id,
        detail={
            "by": decision.by,
            "decision": decision.in_words(),
            "about": str(case.review.subject),
        },
        now=now,
    )
