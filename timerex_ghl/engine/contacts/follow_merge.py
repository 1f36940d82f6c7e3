"""Follow a merge of GHL contacts: one is deleted, and its notes and tasks move to the other.

GHL reports it as a delete. So the survivor of a contact that is gone is searched first.

Source: docs/vendors/ghl.md#merges.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import audit, reviews
from timerex_ghl.adapters.ledger.tables.operations.audit import NewAuditEntry
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import LinkKind
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import ContactGoneError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
)
from timerex_ghl.domain.shared.normal import is_empty
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.mirror_state import NOTE_CONTACT
from timerex_ghl.engine.contacts.merge_survivor import find_survivor, read_if_there
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.close_reviews import close_review
from timerex_ghl.engine.writes.lock_names import lock_of_contact
from timerex_ghl.engine.writes.locking import locked


class ContactMerge(NamedTuple):
    """A merge in GHL, and what it means for the workspace.

    Attributes:
        contact_id: Workspace contact that was linked to the GHL contact that is gone.
        into: Workspace contact that the survivor is linked to from now on; may be the same.
    """

    contact_id: ContactId
    into: ContactId
    gone_id: GhlContactId
    survivor_id: GhlContactId


async def following_merges(
    context: SyncContext, handle: Callable[[], Awaitable[Outcome]]
) -> Outcome:
    """Handle a record; if its GHL contact is gone, follow it to the survivor, and handle it again.

    The survivor is the contact it was merged into, or one that was made again with its e-mail.

    Raises:
        ContactGoneError: There is no survivor.
    """
    try:
        return await handle()
    except ContactGoneError as gone:
        contact_id, ghl_id = ContactId(gone.contact_id), GhlContactId(gone.ghl_id)
        if await follow_merge(context, contact_id, ghl_id) is None:
            raise
    return await handle()


async def follow_merge(
    context: SyncContext, contact_id: ContactId, gone_id: GhlContactId
) -> ContactId | None:
    """Find the contact that a deleted GHL contact was merged into, and move its records there.

    Returns:
        The workspace contact of the survivor; None where no GHL contact is surely the same.
    """
    row = await context.ledger.read(workspace_contacts.get_contact, context.connection, contact_id)
    if row is None or row.deleted:
        return None
    survivor = await find_survivor(context, row, gone_id)
    return None if survivor is None else await _follow(context, contact_id, gone_id, survivor)


async def follow_record(
    context: SyncContext, contact_id: ContactId, owner_id: GhlContactId
) -> ContactId | None:
    """Follow a merge that a record of a contact shows: GHL has it with another contact now.

    Returns:
        The workspace contact of the survivor; None where the contact was not merged into it.
    """
    link = await context.ledger.read(links.link_of_local, context.connection, "contact", contact_id)
    if link is None or link.remote_id == owner_id:
        return None
    gone_id = GhlContactId(link.remote_id)
    if await read_if_there(context, gone_id) is not None:
        return None
    survivor = await read_if_there(context, owner_id)
    return None if survivor is None else await _follow(context, contact_id, gone_id, survivor)


async def _follow(
    context: SyncContext, contact_id: ContactId, gone_id: GhlContactId, survivor: GhlContact
) -> ContactId | None:
    owner = await context.ledger.read(
        links.link_of_remote, context.connection, "contact", survivor.id
    )
    into = contact_id if owner is None else ContactId(owner.local_id)
    names = [lock_of_contact(context.connection, each) for each in {contact_id, into}]
    async with locked(context.ledger, names, run_id=context.run_id):
        merge = ContactMerge(contact_id, into, gone_id, survivor.id)
        shown = map_from_ghl(survivor, context.settings.rules)
        return await context.ledger.write(_move, context, merge, shown, context.now())


def _move(
    tx: Connection, context: SyncContext, merge: ContactMerge, shown: Contact, now: datetime
) -> ContactId | None:
    """Move a link, or all records of a contact, to the survivor; None if it changed meanwhile."""
    connection = context.connection
    contact_id, into, gone_id, survivor_id = merge
    link = links.link_of_local(tx, connection, "contact", contact_id)
    owner = links.link_of_remote(tx, connection, "contact", survivor_id)
    if link is None or link.remote_id != gone_id:
        return None
    if (contact_id if owner is None else owner.local_id) != into:
        return None
    _move_mirrors(tx, connection, contact_id, survivor_id)
    if into == contact_id:
        base = None if link.base is None else _base_in(link.base, shown)
        fresh = {"remote_id": survivor_id, "digest": None, "local_version": None, "base": base}
        links.save_links(tx, [link.model_copy(update=fresh)])
    else:
        other = workspace_contacts.get_contact(tx, connection, into)
        if other is None or other.deleted:
            return None
        activities.move_activities(tx, connection, contact_id, into)
        bookings.move_bookings(tx, connection, contact_id, into)
        workspace_contacts.delete_contact(tx, connection, contact_id, now)
    ghl_contacts.forget(tx, connection, gone_id)
    _close_reviews(tx, connection, merge, now)
    entry = NewAuditEntry(
        now,
        connection,
        "contact merged, as in GHL",
        RecordRef.contact(contact_id),
        context.run_id,
        {"was": gone_id, "ghl": survivor_id, "into": into},
    )
    audit.record_all(tx, [entry])
    return into


def _base_in(base: Contact, shown: Contact) -> Contact:
    """Return the base without the fields and tags that the survivor lacks: it never had them."""
    has = {field for field, value in shown.values.items() if not is_empty(value)}
    return base.model_copy(
        update={
            "values": {field: value for field, value in base.values.items() if field in has},
            "tags": base.tags and base.tags & (shown.tags or frozenset()),
        }
    )


def _close_reviews(
    tx: Connection, connection: ConnectionName, merge: ContactMerge, now: datetime
) -> None:
    """Close reviews whose cause the merge removed: identity reviews, and those of the gone contact.

    The survivor's update may arrive before the other's delete; until then it looks like a second
    person with the same keys. The event of such a review is handled again, and asks again where the
    doubt remains.
    """
    gone = {str(merge.gone_id)} | ({str(merge.contact_id)} - {str(merge.into)})
    for review in reviews.open_reviews(tx, connection):
        is_doubt = review.kind in ("identity", "gone") and not review.record_ids.isdisjoint(merge)
        if not is_doubt and review.subject.ids.isdisjoint(gone):
            continue
        close_review(tx, review, "merged in GHL", now)


def _move_mirrors(
    tx: Connection, connection: ConnectionName, contact_id: ContactId, survivor_id: GhlContactId
) -> None:
    """Point the mirrors of the contact's bookings to the survivor, where GHL has moved them."""
    rows = bookings.bookings_of(tx, connection, contact_id)
    ids = [row.booking.id for row in rows]
    kinds: tuple[LinkKind, ...] = ("booking-note", "appointment")
    found = [
        link for kind in kinds for link in links.links_of_locals(tx, connection, kind, ids).values()
    ]
    moved = [
        link.model_copy(
            update={
                "base": link.base.model_copy(
                    update={"values": {**link.base.values, NOTE_CONTACT: survivor_id}}
                )
            }
        )
        for link in found
        if link.base is not None
    ]
    links.save_links(tx, moved)
