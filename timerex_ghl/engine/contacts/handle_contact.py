"""The handler of one contact, the same for live, replay and bulk runs."""

from functools import partial

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import Snapshot, StoredSnapshot
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans
from timerex_ghl.domain.contacts.identity import ghl_keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.models import ContactId, GhlContact, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.claim_contact import claim_contact
from timerex_ghl.engine.contacts.follow_merge import following_merges
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.contacts.resolve_contact import ContactToResolve, resolve_contacts
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.locking import insist


async def handle_contact_key(context: SyncContext, key: RecordRef, *, dry_run: bool) -> Outcome:
    """Process one contact that `list_changed` listed."""
    if dry_run:
        return await _handle_key(context, key, dry_run=True)
    return await following_merges(context, partial(_handle_key, context, key, dry_run=False))


async def _handle_key(context: SyncContext, key: RecordRef, *, dry_run: bool) -> Outcome:
    if key.kind == "ghl":
        return await handle_ghl_contact(context, GhlContactId(key.id), dry_run=dry_run)
    return await handle_contact(context, ContactId(key.id), dry_run=dry_run)


async def handle_contact(
    context: SyncContext,
    contact_id: ContactId,
    *,
    snapshot: StoredSnapshot | None = None,
    dry_run: bool = False,
    asks: bool = False,
) -> Outcome:
    """Bring one contact of the workspace in sync with its GHL contact.

    Args:
        context: The connection's clients, ledger and settings.
        contact_id: The workspace contact.
        snapshot: Its GHL contact as a page showed it.
        dry_run: Store the plan, write nothing.
        asks: Search GHL for a contact that is not linked yet: outside of a bulk run, the pages that
            were read are stale.
    """
    async with claim_contact(context, contact_id) as claimed:
        if claimed is None:
            return Outcome(what="no-op")
        known = claimed.known._replace(candidates=None) if asks else claimed.known
        result = await reconcile_contact(
            context, claimed.claim, known, snapshot=snapshot, dry_run=dry_run
        )
    return result.outcome


async def handle_ghl_contact(
    context: SyncContext, ghl_id: GhlContactId, *, dry_run: bool = False
) -> Outcome:
    """Bring the workspace in sync with one contact of GHL, as it was last read."""
    request = ContactToResolve(context, ghl_id, adds=not dry_run)
    resolved = await insist(
        context.ledger, lambda: context.ledger.write_together(resolve_contacts, request)
    )
    if resolved.snapshot is None:
        return Outcome(what="no-op")
    if resolved.contact_id is not None:
        return await handle_contact(
            context, resolved.contact_id, snapshot=resolved.snapshot, dry_run=dry_run
        )
    if dry_run:
        await _store_plan(context, resolved.snapshot)
    return Outcome(what="applied", contact_id=ghl_id)


async def handle_unknown_contact(context: SyncContext, ghl_id: GhlContactId) -> Outcome:
    """Read a GHL contact that is not linked yet, and resolve it."""
    try:
        ghl = await context.ghl.get_contact(ghl_id)
    except NotFoundError:
        await context.ledger.write(ghl_contacts.forget, context.connection, ghl_id)
        return Outcome(what="no-op", contact_id=ghl_id)
    await context.ledger.write(_keep, context, ghl)
    return await handle_ghl_contact(context, ghl_id)


def _keep(tx: Connection, context: SyncContext, ghl: GhlContact) -> None:
    """Save a snapshot of a contact that was just read."""
    remote = map_from_ghl(ghl, context.settings.rules)
    snapshot = Snapshot(
        ghl, ghl_keys_of(ghl, remote, context.settings.region), ghl_contacts.digest_of(remote)
    )
    ghl_contacts.save_snapshots(tx, context.connection, [snapshot], context.now())


async def _store_plan(context: SyncContext, snapshot: StoredSnapshot) -> None:
    """Store a plan that adds a contact to the workspace."""
    remote = map_from_ghl(snapshot.contact, context.settings.rules)
    await context.ledger.write(
        dry_run_plans.save_plan,
        context.connection,
        RecordRef.ghl_contact(snapshot.contact.id),
        remote.model_dump(mode="json"),
        context.now(),
    )
