"""What is remembered of a note or task once both sides are level."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import (
    activities,
    audit,
    intents,
    links,
    locks,
    pending_deletes,
    reviews,
)
from timerex_ghl.adapters.ledger.audit import Deed
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.domain.actions import ActivityPlan, Conflict
from timerex_ghl.domain.activities import (
    COMPLETED,
    STAGE,
    YES,
    Activity,
    ActivityKey,
    is_same_activity,
)
from timerex_ghl.domain.activity_ghl import GhlActivity
from timerex_ghl.domain.models import Contact, ContactId, FieldName, Value
from timerex_ghl.engine.activities.claim_activity import ActivityHold, ActivityKnown
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.write import Written


class LevelledActivity(NamedTuple):
    """A note or task that is level, save that the ledger does not know it yet.

    Attributes:
        last: The write to GHL, whose outcome is still to be noted; None where none was made.
        is_level: False: GHL lacks its share, so that the row still counts as changed here.
    """

    hold: ActivityHold
    known: ActivityKnown
    plan: ActivityPlan
    ghl: GhlActivity
    last: Written[GhlActivity] | None
    is_level: bool = True


def remember_activity(tx: Connection, sides: Sides, one: LevelledActivity, now: datetime) -> None:
    """Note the outcome, write the workspace's share, keep what both agree on, and let go."""
    connection, known = sides.connection, one.known
    if one.last is not None:
        intents.close_intent(tx, one.last.closing(now))
    row = changed_row(tx, sides, known.row, one.plan.to_workspace.values, now)
    links.save_link(tx, _link_of(sides, one, row, now))
    if known.delete is not None and pending_deletes.withdraw(tx, connection, known.key, now):
        tell(tx, sides, known.key, "delete withdrawn", {}, now)
    settled = one.hold.settled
    settled.note(tx, now)
    for conflict in one.plan.conflicts:
        if conflict.field not in settled.fields:
            _note_conflict(tx, sides, known.key, conflict, now)
    reviews.settle_subjects(tx, connection, _over(tx, sides, one), by="a later run", now=now)
    if one.plan.to_ghl or one.plan.to_workspace:
        detail = {
            "ghl": one.ghl.id,
            "to_ghl": ", ".join(action.kind for action in one.plan.to_ghl),
            "to_workspace": ", ".join(sorted(one.plan.to_workspace.values)),
        }
        tell(tx, sides, known.key, f"{known.key.kind} levelled", detail, now)
    locks.release_lock(tx, one.hold.fence)


def add_from_ghl(
    tx: Connection, sides: Sides, new: Sequence[tuple[ContactId, GhlActivity]], now: datetime
) -> None:
    """Take over notes or tasks that only GHL had, each with whose it is."""
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
    activities.add_activities(tx, sides.connection, [row for row, _ in pairs])
    links.save_links(tx, [_first_link(sides, row, ghl, now) for row, ghl in pairs])
    audit.record_all(
        tx,
        [
            Deed(
                now,
                sides.connection,
                f"{row.kind} added from GHL",
                f"{row.kind}:{row.id}",
                sides.run_id,
                {"ghl": ghl.id},
            )
            for row, ghl in pairs
        ],
    )


def _first_link(sides: Sides, row: Activity, ghl: GhlActivity, now: datetime) -> Link:
    return Link(
        connection=sides.connection,
        kind=row.kind,
        local_id=row.id,
        remote_id=ghl.id,
        local_version=row.version,
        base=Contact(values={**ghl.values}),
        digest=ghl.digest,
        seen_at=now,
    )


def changed_row(
    tx: Connection,
    sides: Sides,
    row: Activity,
    values: dict[FieldName, Value],
    now: datetime,
) -> Activity:
    """Write a change to a row, if there is any. What is completed has no stage any more."""
    if not values:
        return row
    taken = {field: value for field, value in values.items() if not isinstance(value, tuple)}
    after = {**row.values, **taken}
    if after.get(COMPLETED) == YES:
        after.pop(STAGE, None)
    changed = row.model_copy(update={"values": after})
    return activities.save_activity(tx, sides.connection, changed, now, deleted=row.deleted)


def _link_of(sides: Sides, one: LevelledActivity, row: Activity, now: datetime) -> Link:
    known, base = one.known, one.plan.base
    before = known.link
    level = one.is_level and is_same_activity(row.kind, {**base}, {**one.ghl.values})
    version = row.version if one.is_level else before.local_version if before else None
    written_at = now if one.last is not None else before.written_at if before else None
    return Link(
        connection=sides.connection,
        kind=row.kind,
        local_id=row.id,
        remote_id=one.ghl.id,
        local_version=version,
        written_at=written_at,
        base=Contact(values={**base}),
        digest=one.ghl.digest if level or _is_settled(one) else None,
        seen_at=now,
    )


def _is_settled(one: LevelledActivity) -> bool:
    """Tell whether the next look would find the same, though the sides differ.

    A conflict that waits, an assignee GHL does not know: those were looked at. What GHL answered to
    a write and nobody sent was not.
    """
    return one.last is None


def _over(tx: Connection, sides: Sides, one: LevelledActivity) -> list[str]:
    """List what was asked about it and is no question any more."""
    key, still = str(one.known.key), {conflict.field for conflict in one.plan.conflicts}
    mine = [
        subject
        for subject in reviews.conflict_subjects(tx, sides.connection)
        if subject.startswith(f"{key}:") and subject.rpartition(":")[2] not in still
    ]
    return [key, *mine]


def _note_conflict(
    tx: Connection, sides: Sides, key: ActivityKey, conflict: Conflict, now: datetime
) -> None:
    """Keep both values, whoever won."""
    review_id, _ = reviews.open_review(
        tx,
        connection=sides.connection,
        kind="conflict",
        subject=f"{key}:{conflict.field}",
        reason=f"both sides changed {conflict.field}",
        detail=conflict.model_dump(mode="json"),
        now=now,
    )
    if conflict.winner is not None:
        rule = "the connection's rule"
        reviews.settle_review(tx, review_id, decision=conflict.winner, by=rule, now=now)


def tell(
    tx: Connection,
    sides: Sides,
    key: ActivityKey,
    what: str,
    detail: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Say in the audit what became of a note or task."""
    deed = Deed(now, sides.connection, what, str(key), sides.run_id, {**detail})
    audit.record_all(tx, [deed])
