"""Resolve reviews about notes and tasks: conflicting edits, and many deletes at once."""

import json
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import Arrival
from timerex_ghl.domain.activities.activity_fields import ActivityKey
from timerex_ghl.domain.reviews.chosen_values import ChosenValues
from timerex_ghl.domain.reviews.review_decisions import Way
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.engine.activities.delete_activity import DELETES
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.reviews.review_case import ReviewCase, ReviewDecision, is_open


async def keep_activity(case: ReviewCase) -> bool:
    """Keep one system's value of a field; False where the review was resolved meanwhile.

    Raises:
        SettingsError: The decision does not say whose value to keep.
    """
    key, field = ActivityKey.of(case.review.subject), case.review.subject.field
    if key is None or field is None:
        raise SettingsError(f"{case.review.subject} has no values to choose from: retry or drop it")
    side = case.decision.fields.get(field) or case.decision.keep
    if side is None:
        raise SettingsError(f"say whose {field} to keep: workspace or ghl")
    if not await is_open(case):
        return False
    decision = ReviewDecision((case,), ChosenValues(winners={field: side}))
    await handle_activity(case.context, key, decision=decision)
    return True


def resolve_deletes(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Release pending deletes, each by an event of its own, or keep the records."""
    connection = case.context.connection
    kind, side = DELETES[case.review.subject]
    pending = pending_deletes.list_deletes(tx, connection, ["pending"], kind, side)
    is_let_through = case.decision.way is Way.RETRY
    pending_deletes.finish_pending(
        tx,
        connection,
        kind,
        side,
        "released" if is_let_through else "kept",
    )
    if is_let_through:
        inbox.store_events(
            tx,
            [
                Arrival(
                    connection=connection,
                    source="workspace",
                    origin="review",
                    type=f"{kind} changed",
                    dedupe_key=f"{ActivityKey(kind, one.local_id)}:{case.review.id}",
                    body=json.dumps({"review": case.review.id}),
                    record=ActivityKey(kind, one.local_id).ref,
                )
                for one in pending
            ],
            now,
        )
