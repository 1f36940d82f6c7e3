"""Mirror the delete of a note or task; many at once need a person's decision.

A delete in one system wins over an edit in the other: a deleted record never comes back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import (
    activities,
    discarded_edits,
    pending_deletes,
)
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import FoundDelete, Side, State
from timerex_ghl.adapters.ledger.tables.operations import reviews as reviews_of
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import KINDS, ActivityKey, ActivityKind
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit, discarded_edit
from timerex_ghl.domain.shared.actions import DeleteActivity
from timerex_ghl.domain.shared.errors import ContactGoneError, NotFoundError
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId, Values
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.claim_activity import (
    ActivityClaim,
    ActivityState,
    ClaimedActivity,
)
from timerex_ghl.engine.activities.commit_activity import record_audit
from timerex_ghl.engine.activities.dry_run import NOTHING, show_delete
from timerex_ghl.engine.activities.read_remote import RemoteActivity
from timerex_ghl.engine.activities.write_activity import Gone, delete_activity
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.close_reviews import close_answered
from timerex_ghl.engine.writes.write import Written

WITHIN = timedelta(hours=1)
"""The window over which deletes are counted."""

FEW = 10
"""So many deletes never need a review, so that a small workspace can be tidied up."""


async def keep_apart(context: SyncContext, claimed: ClaimedActivity) -> Outcome:
    """Leave the workspace and GHL as they are: a person refused the delete."""
    await context.ledger.write(_keep_apart, claimed)
    claimed.claim.released = True
    return Outcome(what="no-op")


async def delete_here(
    context: SyncContext, claimed: ClaimedActivity, link: Link, *, dry_run: bool
) -> Outcome:
    """Delete in the workspace what was deleted in GHL. The tombstone keeps its values.

    Raises:
        ContactGoneError: The whole contact is gone from GHL.
    """
    await _check_contact(context, claimed.known)
    if dry_run:
        return await show_delete(context, claimed.known.key.ref, None)
    done = await context.ledger.write(_delete_here, context, claimed, link, context.now())
    claimed.claim.released = True
    return Outcome(what="applied" if done else "review", contact_id=claimed.known.contact_id)


async def delete_there(
    context: SyncContext, claimed: ClaimedActivity, remote: RemoteActivity, *, dry_run: bool
) -> Outcome:
    """Delete in GHL what was deleted in the workspace."""
    claim, known = claimed
    if remote.link is None:
        return NOTHING
    action = DeleteActivity(
        kind="note.delete" if known.row.kind == "note" else "task.delete",
        activity_id=known.row.id,
        contact_id=known.contact_id or GhlContactId(""),
        remote_id=remote.link.remote_id,
    )
    if dry_run and remote.ghl is not None:
        return await show_delete(context, known.key.ref, action)
    if dry_run:
        return NOTHING
    if remote.ghl is None:
        await _commit_gone(context, claim, known, None, None)
        return Outcome(what="no-op", contact_id=known.contact_id)
    refusal = context.ghl.refusal_of(action.kind)
    if refusal is not None:
        raise refusal
    if not await context.ledger.write(_may_go, context, known, "workspace", context.now()):
        return Outcome(what="review", contact_id=known.contact_id)
    try:
        last = await delete_activity(context, claim, action)
    except NotFoundError:
        last = None
    base, now = _base_of(remote.link), context.now()
    edit = discarded_edit(known.row, remote.ghl.values, base, "workspace", now) if last else None
    await _commit_gone(context, claim, known, last, edit)
    if last is not None:
        context.failpoint(action.kind, "after-outcome")
    return Outcome(what="applied", writes=int(last is not None), contact_id=known.contact_id)


def claim_all(
    tx: Connection,
    connection: ConnectionName,
    keys: Sequence[ActivityKey],
    side: Side,
    now: datetime,
) -> None:
    """Mark deletes of one kind that were found together as pending, and open their review."""
    for key in keys:
        found = FoundDelete(key, side, "pending")
        pending_deletes.note_delete(tx, connection, found, now)
    if keys:
        _ask(tx, connection, keys[0].kind, side, now)


def most_unasked(
    tx: Connection, context: SyncContext, kind: ActivityKind, side: Side, now: datetime
) -> int:
    """Return how many more deletes may be applied without a review: none while some are pending."""
    connection, settings = context.connection, context.settings.activities
    if pending_deletes.list_deletes(tx, connection, ["pending"], kind, side):
        return 0
    recent = pending_deletes.count_since(tx, connection, kind, side, now - WITHIN)
    enough = settings.most_deletes * 100 // settings.most_deletes_percent + 1
    linked = pending_deletes.count_linked(tx, connection, kind, enough)
    share = max(FEW, linked * settings.most_deletes_percent // 100)
    return max(0, min(settings.most_deletes, share) - recent)


def withdraw_found(
    tx: Connection,
    context: SyncContext,
    kind: ActivityKind,
    local_ids: Collection[str],
    now: datetime,
) -> None:
    """Withdraw pending or refused deletes of records that GHL still has."""
    waits = pending_deletes.list_deletes(tx, context.connection, ["pending", "kept"], kind, "ghl")
    returned = [one for one in waits if one.local_id in local_ids]
    for one in returned:
        key = ActivityKey(kind, one.local_id)
        pending_deletes.withdraw(tx, context.connection, key)
        record_audit(tx, context, key, "delete withdrawn", {}, now)
    if returned and not pending_deletes.list_deletes(
        tx, context.connection, ["pending"], kind, "ghl"
    ):
        subject = deletes_subject(kind, "ghl")
        close_answered(tx, context.connection, [subject], now, by="they came back")


def deletes_subject(kind: ActivityKind, side: Side) -> RecordRef:
    """Return the review subject for deletes of one kind in one system."""
    return RecordRef("deletes", f"{kind}:{side}")


SYSTEMS: tuple[Side, ...] = ("workspace", "ghl")
DELETES: dict[RecordRef, tuple[ActivityKind, Side]] = {
    deletes_subject(kind, side): (kind, side) for kind in KINDS for side in SYSTEMS
}
"""The kind of record and the system of each subject of a review about deletes."""


async def _check_contact(context: SyncContext, known: ActivityState) -> None:
    """Check that only this note or task is gone from GHL.

    Raises:
        ContactGoneError: The whole contact is.
    """
    contact_id, ghl_id = known.row.contact_id, known.contact_id
    if ghl_id is None:
        raise ContactGoneError(contact_id, "")
    try:
        await context.ghl.get_contact(ghl_id)
    except NotFoundError as error:
        raise ContactGoneError(contact_id, ghl_id) from error


def _delete_here(
    tx: Connection, context: SyncContext, claimed: ClaimedActivity, link: Link, now: datetime
) -> bool:
    claim, known = claimed
    done = _may_go(tx, context, known, "ghl", now)
    if done:
        row = activities.save_activity(tx, context.connection, known.row, now, deleted=True)
        result = {"local_version": row.version, "digest": None}
        links.save_links(tx, [link.model_copy(update=result)])
        _note(tx, context.connection, known, "ghl", "done", now)
        edit = discarded_edit(known.row, known.row.values, _base_of(link), "ghl", now)
        discarded_edits.save_discarded(tx, context.connection, edit)
        detail = {"discarded": ", ".join(sorted(edit.values)) if edit else ""}
        record_audit(tx, context, known.key, f"{row.kind} deleted, as in GHL", detail, now)
    locks.release_locks(tx, [claim.fence])
    return done


def _keep_apart(tx: Connection, claimed: ClaimedActivity) -> None:
    known = claimed.known
    if known.link is not None and known.link.local_version != known.row.version:
        result = {"local_version": known.row.version}
        links.save_links(tx, [known.link.model_copy(update=result)])
    locks.release_locks(tx, [claimed.claim.fence])


def _base_of(link: Link | None) -> Values:
    return link.base.values if link is not None and link.base is not None else {}


def _may_go(
    tx: Connection, context: SyncContext, known: ActivityState, side: Side, now: datetime
) -> bool:
    """Return whether a delete may be applied; if not, mark it as pending and open a review."""
    if known.delete is not None and known.delete.state == "released":
        return True
    if most_unasked(tx, context, known.row.kind, side, now) > 0:
        return True
    _note(tx, context.connection, known, side, "pending", now)
    return False


async def _commit_gone(
    context: SyncContext,
    claim: ActivityClaim,
    known: ActivityState,
    last: Written[Gone] | None,
    edit: DiscardedEdit | None,
) -> None:
    await context.ledger.write(_gone, context, claim, known, last, edit)
    claim.released = True


def _gone(
    tx: Connection,
    context: SyncContext,
    claim: ActivityClaim,
    known: ActivityState,
    last: Written[Gone] | None,
    edit: DiscardedEdit | None,
) -> None:
    now = context.now()
    if last is not None:
        intents.close_intents(tx, [last.closing()])
    discarded_edits.save_discarded(tx, context.connection, edit)
    link = known.link or links.link_of_local(tx, context.connection, known.row.kind, known.row.id)
    if link is not None:
        result = {"local_version": known.row.version, "digest": None, "written_at": now}
        links.save_links(tx, [link.model_copy(update=result)])
    _note(tx, context.connection, known, "workspace", "done", now)
    what = f"{known.row.kind} deleted in GHL" if last else f"{known.row.kind} was gone in GHL"
    discarded = ", ".join(sorted(edit.values)) if edit else ""
    detail = {"ghl": None if link is None else link.remote_id, "discarded": discarded}
    record_audit(tx, context, known.key, what, detail, now)
    locks.release_locks(tx, [claim.fence])


def _note(
    tx: Connection,
    connection: ConnectionName,
    known: ActivityState,
    side: Side,
    state: State,
    now: datetime,
) -> None:
    if state == "done" and known.delete is not None and known.delete.state == "released":
        state = "allowed"
    found = FoundDelete(known.key, side, state)
    pending_deletes.note_delete(tx, connection, found, now)
    if state == "pending":
        _ask(tx, connection, known.row.kind, side, now)


def _ask(
    tx: Connection, connection: ConnectionName, kind: ActivityKind, side: Side, now: datetime
) -> None:
    pending = pending_deletes.list_deletes(tx, connection, ["pending"], kind, side)
    where, other = ("GHL", "the workspace") if side == "ghl" else ("the workspace", "GHL")
    reviews_of.open_review(
        tx,
        connection=connection,
        kind="deletes",
        subject=deletes_subject(kind, side),
        reason=f"{len(pending)} {kind}s were deleted in {where}, more than the limit without a"
        f" review: none of them was deleted in {other}",
        detail={"ids": [one.local_id for one in pending][:500]},
        now=now,
    )
