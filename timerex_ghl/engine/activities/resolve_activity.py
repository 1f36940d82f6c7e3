"""Resolve a note or task that only GHL has so far: its contact, and whether we created it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.domain.activities.activity_fields import (
    TEXT,
    ActivityKey,
    ghl_activity_ref,
    text_of,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity
from timerex_ghl.domain.bookings.note_text import booking_of
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.activities.claim_activity import claim_activity
from timerex_ghl.engine.activities.commit_activity import add_from_ghl
from timerex_ghl.engine.activities.dry_run import show_new
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.contacts.follow_merge import follow_record
from timerex_ghl.engine.contacts.handle_contact import handle_unknown_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_remote
from timerex_ghl.engine.writes.locking import TTL_S, Busy, holder_name, insist


class _Person(NamedTuple):
    """The contact it belongs to. `is_alive`: not deleted in the workspace."""

    contact_id: ContactId
    is_alive: bool


async def resolve_activity(
    context: SyncContext, remote: GhlActivity, *, dry_run: bool = False
) -> Outcome:
    """Add a note or task of GHL, unless it is ours, a booking's, or of a deleted contact."""
    if await context.ledger.read(is_of_booking, context.connection, remote):
        return Outcome(what="ignored")
    local = await context.ledger.read(sent_as, context.connection, remote)
    if local is not None:  # its create is in progress, or the outcome is unknown
        outcome = await handle_activity(context, local, dry_run=dry_run)
        if dry_run or await context.ledger.read(_is_linked, context.connection, remote):
            return outcome
    person = await _find_person(context, remote)
    if person is None or not person.is_alive:
        return Outcome(what="ignored")
    if dry_run:
        return await show_new(context, ghl_activity_ref(remote.kind, remote.id), remote.values)
    holder = holder_name(context.run_id)
    is_new = await insist(
        context.ledger,
        lambda: context.ledger.write(
            _add, context, remote, person.contact_id, holder, context.now()
        ),
    )
    return Outcome(what="applied" if is_new else "no-op", contact_id=remote.contact_id)


async def follow_person(
    context: SyncContext, key: ActivityKey, ghl_contact_id: GhlContactId
) -> None:
    """Move a note or task to the contact that has it in GHL now: contacts were merged there.

    Where its own contact is gone, everything of that contact moves along.
    """
    row = await context.ledger.read(activities.get_activity, context.connection, key)
    if row is None or row.deleted:
        return
    if await follow_record(context, row.contact_id, ghl_contact_id) is not None:
        return
    person = await context.ledger.read(_person, context.connection, ghl_contact_id)
    if person is None or not person.is_alive or row.contact_id == person.contact_id:
        return
    async with claim_activity(context, key) as claimed:
        if claimed is not None and not claimed.known.row.deleted:
            await context.ledger.write(
                _move, context.connection, key, person.contact_id, context.now()
            )


async def _find_person(context: SyncContext, remote: GhlActivity) -> _Person | None:
    """Find the contact it belongs to; one that is new to the workspace is added first.

    Raises:
        ReviewNeededError: It could be several contacts of the workspace.
    """
    if remote.contact_id is None:
        return None
    person = await context.ledger.read(_person, context.connection, remote.contact_id)
    if person is None:
        await handle_unknown_contact(context, remote.contact_id)
        person = await context.ledger.read(_person, context.connection, remote.contact_id)
    return person


def _person(
    tx: Connection, connection: ConnectionName, ghl_contact_id: GhlContactId
) -> _Person | None:
    link = links.link_of_remote(tx, connection, "contact", ghl_contact_id)
    if link is None:
        return None
    contact_id = ContactId(link.local_id)
    row = workspace_contacts.get_contact(tx, connection, contact_id)
    return _Person(contact_id, row is not None and not row.deleted)


def is_of_booking(tx: Connection, connection: ConnectionName, remote: GhlActivity) -> bool:
    """Return whether it is the note that mirrors a booking: the booking's handler keeps that one.

    Its link may not be saved yet.
    """
    if remote.kind != "note":
        return False
    if links.link_of_remote(tx, connection, "booking-note", remote.id) is not None:
        return True
    root_id = booking_of(text_of(remote.values, TEXT) or "")
    return root_id is not None and (bookings.get_booking(tx, connection, root_id) is not None)


def sent_as(tx: Connection, connection: ConnectionName, remote: GhlActivity) -> ActivityKey | None:
    """Return the local record that its marker names, if that was sent and is not linked yet."""
    if remote.marker is None:
        return None
    key = ActivityKey(remote.kind, remote.marker)
    if links.link_of_local(tx, connection, key.kind, key.id) is not None:
        return None
    return key if intents.open_intents(tx, connection, [key.ref]) else None


def _is_linked(tx: Connection, connection: ConnectionName, remote: GhlActivity) -> bool:
    return links.link_of_remote(tx, connection, remote.kind, remote.id) is not None


def _add(
    tx: Connection,
    context: SyncContext,
    remote: GhlActivity,
    contact_id: ContactId,
    holder: str,
    now: datetime,
) -> bool | Busy:
    """Add it, unless another process did: the lock keeps others out of this unit of work."""
    names = [lock_of_remote(context.connection, remote.kind, remote.id)]
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    is_new = not _is_linked(tx, context.connection, remote)
    if is_new:
        add_from_ghl(tx, context, [(contact_id, remote)], now)
    locks.release_locks(tx, [fence])
    return is_new


def _move(
    tx: Connection,
    connection: ConnectionName,
    key: ActivityKey,
    contact_id: ContactId,
    now: datetime,
) -> None:
    row = activities.get_activity(tx, connection, key)
    link = links.link_of_local(tx, connection, key.kind, key.id)
    if row is None:
        return
    moved = row.model_copy(update={"contact_id": contact_id})
    after = activities.save_activity(tx, connection, moved, now, deleted=row.deleted)
    if link is not None and link.local_version == row.version:
        links.save_links(tx, [link.model_copy(update={"local_version": after.version})])
