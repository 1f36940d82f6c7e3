"""Commit a note or task that is in sync: outcome, row, link, base, conflicts, audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activities, pending_deletes
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.audit import NewAuditEntry
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import (
    COMPLETED,
    STAGE,
    YES,
    Activity,
    ActivityKey,
    is_same_activity,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity
from timerex_ghl.domain.shared.actions import ActivityPlan
from timerex_ghl.domain.shared.models import ConnectionName, Contact, ContactId, FieldName, Value
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.claim_activity import ActivityClaim, ActivityState
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.reviews.review_case import NO_DECISION, ReviewDecision, close
from timerex_ghl.engine.writes.close_reviews import close_answered
from timerex_ghl.engine.writes.record_conflict import record_conflict
from timerex_ghl.engine.writes.write import Written


class ActivityCommit(NamedTuple):
    """A note or task that was reconciled, to be committed to the ledger.

    Attributes:
        last: The write to GHL, whose outcome is still to be stored; None where none was made.
        decision: A person's, where one was asked; else the connection's rule applied.
        is_in_sync: False: GHL lacks its share, so the row still counts as changed locally.
    """

    claim: ActivityClaim
    known: ActivityState
    plan: ActivityPlan
    ghl: GhlActivity
    last: Written[GhlActivity] | None
    decision: ReviewDecision = NO_DECISION
    is_in_sync: bool = True


def commit_activity(
    tx: Connection, context: SyncContext, one: ActivityCommit, now: datetime
) -> None:
    """Store the outcome, the workspace's changes and the new base, then release the lock."""
    connection, known = context.connection, one.known
    if one.last is not None:
        intents.close_intents(tx, [one.last.closing()])
    row = changed_row(tx, connection, known.row, one.plan.to_workspace.values, now)
    links.save_links(tx, [_link_of(context, one, row, now)])
    if known.delete is not None and pending_deletes.withdraw(tx, connection, known.key):
        record_audit(tx, context, known.key, "delete withdrawn", {}, now)
    for case in one.decision.cases:
        close(tx, case, now)
    for conflict in one.plan.conflicts:
        if conflict.field not in one.decision.values.winners:
            record_conflict(tx, connection, known.key.ref, conflict, "the connection's rule", now)
    close_answered(tx, connection, _over(tx, connection, one), now)
    if one.plan.to_ghl or one.plan.to_workspace:
        detail = {
            "ghl": one.ghl.id,
            "to_ghl": ", ".join(action.kind for action in one.plan.to_ghl),
            "to_workspace": ", ".join(sorted(one.plan.to_workspace.values)),
        }
        record_audit(tx, context, known.key, f"{known.key.kind} reconciled", detail, now)
    locks.release_locks(tx, [one.claim.fence])


def add_from_ghl(
    tx: Connection,
    context: SyncContext,
    new: Sequence[tuple[ContactId, GhlActivity]],
    now: datetime,
) -> None:
    """Add notes or tasks that only GHL had to the workspace, each with its contact."""
    if not new:
        return
    pairs = [
        (
            activities.new_activity(
                ghl.kind, contact_id, ghl.values, now, created_at=ghl.created_at
            ),
            ghl,
        )
        for contact_id, ghl in new
    ]
    activities.add_activities(tx, context.connection, [row for row, _ in pairs])
    links.save_links(tx, [_first_link(context, row, ghl, now) for row, ghl in pairs])
    audit.record_all(
        tx,
        [
            NewAuditEntry(
                now,
                context.connection,
                f"{row.kind} added from GHL",
                RecordRef(row.kind, row.id),
                context.run_id,
                {"ghl": ghl.id},
            )
            for row, ghl in pairs
        ],
    )


def _first_link(context: SyncContext, row: Activity, ghl: GhlActivity, now: datetime) -> Link:
    return Link(
        connection=context.connection,
        kind=row.kind,
        local_id=row.id,
        remote_id=ghl.id,
        local_version=row.version,
        base=Contact(values={**ghl.values}),
        digest=ghl.digest,
        checked_at=now,
    )


def changed_row(
    tx: Connection,
    connection: ConnectionName,
    row: Activity,
    values: dict[FieldName, Value],
    now: datetime,
) -> Activity:
    """Write a change to a row, if there is any. Completing a task removes its stage."""
    if not values:
        return row
    taken = {field: value for field, value in values.items() if not isinstance(value, tuple)}
    after = {**row.values, **taken}
    if after.get(COMPLETED) == YES:
        after.pop(STAGE, None)
    changed = row.model_copy(update={"values": after})
    return activities.save_activity(tx, connection, changed, now, deleted=row.deleted)


def _link_of(context: SyncContext, one: ActivityCommit, row: Activity, now: datetime) -> Link:
    known, base = one.known, one.plan.base
    before = known.link
    result = one.is_in_sync and is_same_activity(row.kind, {**base}, {**one.ghl.values})
    version = row.version if one.is_in_sync else before.local_version if before else None
    written_at = now if one.last is not None else before.written_at if before else None
    link = Link(
        connection=context.connection,
        kind=row.kind,
        local_id=row.id,
        remote_id=one.ghl.id,
        local_version=version,
        written_at=written_at,
        base=Contact(values={**base}),
        digest=one.ghl.digest if result or _is_final(one) else None,
        checked_at=now,
    )
    return link.with_differences(one.plan.differences, context.published.version)


def _is_final(one: ActivityCommit) -> bool:
    """Return whether the next comparison would find the same, though the two still differ.

    An open conflict or an assignee unknown to GHL need no second look. What GHL added to a
    record in its answer to a write does.
    """
    return one.last is None


def _over(tx: Connection, connection: ConnectionName, one: ActivityCommit) -> list[RecordRef]:
    """List the subjects of its reviews whose cause is gone."""
    ref, still = one.known.key.ref, {conflict.field for conflict in one.plan.conflicts}
    mine = [
        subject
        for subject in reviews.conflict_subjects(tx, connection)
        if subject.record == ref and subject.field not in still
    ]
    return [ref, *mine]


def record_audit(
    tx: Connection,
    context: SyncContext,
    key: ActivityKey,
    what: str,
    detail: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Record in the audit what was done with a note or task."""
    entry = NewAuditEntry(now, context.connection, what, key.ref, context.run_id, {**detail})
    audit.record_all(tx, [entry])
