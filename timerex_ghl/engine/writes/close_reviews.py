"""Close reviews whose cause is gone, and handle again what waited for their answer."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

LATER_RUN = "a later run"
"""Who closes a review that no person answered."""


def close_answered(
    tx: Connection,
    connection: ConnectionName,
    subjects: Collection[RecordRef],
    now: datetime,
    *,
    by: str = LATER_RUN,
) -> None:
    """Close the open reviews about records that were brought in sync since."""
    for event_id in reviews.close_reviews(tx, connection, subjects, by=by, now=now):
        inbox.requeue_event(tx, event_id)


def close_review(tx: Connection, review: Review, decision: str, now: datetime) -> None:
    """Close one review for the reason that `decision` gives."""
    reviews.resolve_review(tx, review.id, decision=decision, by=LATER_RUN, now=now)
    for event_id in review.events:
        inbox.requeue_event(tx, event_id)
