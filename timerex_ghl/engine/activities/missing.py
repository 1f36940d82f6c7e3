"""Records that a sweep no longer found: few are looked up by id, many need a review."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import State
from timerex_ghl.adapters.ledger.tables.sync import sweeps
from timerex_ghl.domain.activities.activity_fields import ActivityKey, ActivityKind
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.claim_activity import read_activity
from timerex_ghl.engine.activities.delete_activity import claim_all, most_unasked
from timerex_ghl.engine.activities.read_remote import read_remote
from timerex_ghl.engine.context import SyncContext

WAITS: tuple[State, ...] = ("pending", "kept")
"""States of deletes that already have a review."""


async def list_gone(
    context: SyncContext,
    kind: ActivityKind,
    began_at: datetime,
    *,
    of: ContactId | None = None,
    dry_run: bool = False,
) -> tuple[list[RecordRef], int]:
    """List what was not found since the sweep began, and count the deletes made pending.

    A missing record is no proof of a delete: GHL's pages move while they are read. So the handler
    reads each one by id. Where there are more than may be deleted without a review, that many and
    one are read first: if all of them are gone, none is processed and a review is opened for all.
    """
    missing, most = await context.ledger.read(_missing, context, kind, began_at, of, context.now())
    refs = [key.ref for key in missing]
    if len(missing) <= most:
        return refs, 0
    for key in missing[: most + 1]:
        if not await _is_gone(context, key):
            return refs, 0
    if not dry_run:
        await context.ledger.write(claim_all, context.connection, missing, "ghl", context.now())
    return [], len(missing)


async def _is_gone(context: SyncContext, key: ActivityKey) -> bool:
    known = await context.ledger.read(read_activity, context.connection, key)
    if known is None or known.link is None or known.contact_id is None:
        return False
    remote_id = known.link.remote_id
    return await read_remote(context, key.kind, known.contact_id, remote_id, {}) is None


def _missing(
    tx: Connection,
    context: SyncContext,
    kind: ActivityKind,
    began_at: datetime,
    of: ContactId | None,
    now: datetime,
) -> tuple[list[ActivityKey], int]:
    """List what was not found and has no review; count the deletes allowed without one."""
    asked = pending_deletes.list_deletes(tx, context.connection, WAITS, kind, "ghl")
    skipped = {one.local_id for one in asked}
    ids = sweeps.unseen(tx, context.connection, kind, began_at, of=of)
    keys = [ActivityKey(kind, id_) for id_ in ids if id_ not in skipped]
    return keys, most_unasked(tx, context, kind, "ghl", now)
