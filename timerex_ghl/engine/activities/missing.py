"""What a sweep did not see any more: few are looked up one by one, many wait for a person."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import pending_deletes, sweeps
from timerex_ghl.adapters.ledger.pending_deletes import State
from timerex_ghl.domain.activities import ActivityKey, ActivityKind
from timerex_ghl.domain.models import ContactId
from timerex_ghl.engine.activities.claim_activity import read_activity
from timerex_ghl.engine.activities.delete_activity import claim_all, most_unasked
from timerex_ghl.engine.activities.read_remote import read_remote
from timerex_ghl.engine.context import SyncContext

WAITS: tuple[State, ...] = ("pending", "kept")
"""Deletes that were asked about already."""


async def list_gone(
    context: SyncContext,
    kind: ActivityKind,
    began_at: datetime,
    *,
    of: ContactId | None = None,
    dry_run: bool = False,
) -> tuple[list[str], int]:
    """List what was not seen since the sweep began; tell how many deletes wait for a person.

    That something was not seen is no proof: GHL's pages move while they are read. So each is read
    by id where it is carried. Where there are more than may pass unasked, as many are read here
    first: if those are gone indeed, none is carried and a person is asked about all.
    """
    missing, most = await context.ledger.read(_missing, context, kind, began_at, of, context.now())
    keys = [str(key) for key in missing]
    if len(missing) <= most:
        return keys, 0
    for key in missing[: most + 1]:
        if not await _is_gone(context, key):
            return keys, 0
    if not dry_run:
        await context.ledger.write(claim_all, context, missing, "ghl", context.now())
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
    """List what was not seen and was not asked about; tell how many deletes may pass unasked."""
    asked = pending_deletes.list_deletes(tx, context.connection, WAITS, kind, "ghl")
    skipped = {one.local_id for one in asked}
    ids = sweeps.unseen(tx, context.connection, kind, began_at, of=of)
    keys = [ActivityKey(kind, id_) for id_ in ids if id_ not in skipped]
    return keys, most_unasked(tx, context, kind, "ghl", now)
