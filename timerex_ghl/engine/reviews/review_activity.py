"""Resolve reviews about notes and tasks: conflicting edits, and many deletes at once."""

import json
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import Side
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import Arrival
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey, ActivityKind
from timerex_ghl.domain.reviews.review_decisions import Way
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.engine.activities.claim_activity import ConflictDecision
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.reviews.review_case import ReviewCase, close, is_open


async def keep_activity(case: ReviewCase) -> bool:
    """Keep one system's value of a field; False where the review was resolved meanwhile.

    Raises:
        SettingsError: The decision does not say whose value to keep.
    """
    kind, id_, field = case.review.subject.split(":")
    side = case.decision.fields.get(FieldName(field)) or case.decision.keep
    if side is None:
        raise SettingsError(f"say whose {field} to keep: workspace or ghl")
    if not await is_open(case):
        return False
    key = ActivityKey("note" if kind == "note" else "task", ActivityId(id_))

    def note(tx: Connection, now: datetime) -> object:
        return close(tx, case, now)

    decision = ConflictDecision({FieldName(field): side}, note)
    await handle_activity(case.context, key, decision=decision)
    return True


def resolve_deletes(tx: Connection, case: ReviewCase, now: datetime) -> None:
    """Release pending deletes, each by an event of its own, or keep the records."""
    connection = case.context.connection
    _, kind, side = case.review.subject.split(":")
    pending = pending_deletes.list_deletes(
        tx, connection, ["pending"], cast("ActivityKind", kind), cast("Side", side)
    )
    is_let_through = case.decision.way is Way.RETRY
    pending_deletes.finish_pending(
        tx,
        connection,
        cast("ActivityKind", kind),
        cast("Side", side),
        "released" if is_let_through else "kept",
        now,
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
                    dedupe_key=f"{kind}:{one.local_id}:{case.review.id}",
                    body=json.dumps({"review": case.review.id}),
                    record=f"{kind}:{one.local_id}",
                )
                for one in pending
            ],
            now,
        )
