"""A decision is noted: in the unit of work that has its effect, and once."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import audit, inbox, reviews
from timerex_ghl.adapters.ledger.reviews import Review
from timerex_ghl.domain.models import EventId
from timerex_ghl.domain.review_decisions import Decision
from timerex_ghl.engine.context import SyncContext


class ReviewCase(NamedTuple):
    """One review, and what a person decides about it."""

    context: SyncContext
    review: Review
    decision: Decision


class ResolvedReview(NamedTuple):
    """How a review stands. `is_first`: it was this decision that settled it."""

    review: Review
    is_first: bool

    def in_words(self) -> str:
        """Say who settled it how, and when; nobody's details."""
        review = self.review
        if self.is_first:
            return f"{review.id} is settled: {review.decision}"
        at = f"{review.resolved_at:%Y-%m-%d %H:%M} UTC" if review.resolved_at else "just now"
        return f"{review.id} was settled already: {review.decision}, by {review.resolved_by}, {at}"


def close(tx: Connection, case: ReviewCase, now: datetime) -> bool:
    """Note the decision, and who made it; False where the review is settled already."""
    decision = case.decision
    is_first = reviews.resolve_review(
        tx, case.review.id, decision=decision.in_words(), by=decision.by, now=now
    )
    if is_first:
        _record_audit(tx, case, "review settled", now)
    return is_first


def close_and_replay(tx: Connection, case: ReviewCase, now: datetime) -> bool:
    """Note the decision; an event that it was about waits to be carried again."""
    is_first = close(tx, case, now)
    kind, _, record_id = case.review.subject.partition(":")
    if is_first and kind == "event":
        inbox.requeue_event(tx, EventId(record_id))
    return is_first


async def is_open(case: ReviewCase) -> bool:
    """Look again, once the person is ours: a run may have carried them while we waited."""
    now = await case.context.ledger.read(reviews.get_review, case.review.id)
    return now is not None and now.resolved_at is None


def note_late(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Say in the audit that somebody decided what was decided already."""
    _record_audit(tx, case, "review was settled already", now)


def _record_audit(tx: Connection, case: ReviewCase, what: str, now: datetime) -> None:
    decision = case.decision
    audit.record(
        tx,
        connection=case.context.connection,
        what=what,
        subject=f"review:{case.review.id}",
        run_id=case.context.run_id,
        detail={
            "by": decision.by,
            "decision": decision.in_words(),
            "about": case.review.subject,
        },
        now=now,
    )
