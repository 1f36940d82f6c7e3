"""Record a field that both sides changed differently, whatever the kind of its record."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef


def record_conflict(
    tx: Connection,
    connection: ConnectionName,
    record: RecordRef,
    conflict: Conflict,
    by: str,
    now: datetime,
) -> None:
    """Record both values of a conflict in a review. `by`: the rule that chose a winner, if any."""
    opened = reviews.open_review(
        tx,
        connection=connection,
        kind="conflict",
        subject=record.of_field(conflict.field),
        reason=f"both sides changed {conflict.field}",
        detail=conflict.model_dump(mode="json"),
        now=now,
    )
    if conflict.winner is not None:
        reviews.resolve_review(tx, opened.id, decision=conflict.winner, by=by, now=now)
