"""The handler of a GHL notification about a contact: it may have changed, so it is read back."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.mappers import contact_from_webhook
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.sync import links, locks
from timerex_ghl.domain.contacts.contact_notifications import has_news
from timerex_ghl.domain.contacts.identity import ghl_keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import ContactGoneError, NotFoundError
from timerex_ghl.domain.shared.models import ContactId, GhlContact, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.claim_contact import claim_contact
from timerex_ghl.engine.contacts.follow_merge import follow_merge
from timerex_ghl.engine.contacts.handle_contact import handle_contact, handle_unknown_contact
from timerex_ghl.engine.contacts.reconcile_contact import reconcile_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import locks_of_keys
from timerex_ghl.engine.writes.locking import Busy, insist

DELETED = "ContactDelete"


class _ContactLookup(NamedTuple):
    """A contact's workspace id. `is_news`: the notification differs from what was last in sync."""

    contact_id: ContactId | None
    is_news: bool


async def handle_contact_notification(
    context: SyncContext, event: InboxEvent, ghl_id: GhlContactId
) -> Outcome:
    """Bring the workspace in sync with the contact of a notification.

    Our own writes come back as notifications, too, often before they are committed: one that says
    nothing new by then costs no call.
    """
    snapshot = _read_snapshot(event, ghl_id)
    known = await insist(context.ledger, lambda: context.ledger.read(_state_of, context, snapshot))
    if event.type == DELETED:
        return await _check_gone(context, snapshot.id, known.contact_id)
    if known.contact_id is None:
        return await handle_unknown_contact(context, snapshot.id)
    if not known.is_news:
        return Outcome(what="no-op", contact_id=snapshot.id)
    async with claim_contact(context, known.contact_id) as claimed:
        known = await context.ledger.read(_state_now, context, snapshot)
        if claimed is None or not known.is_news:
            return Outcome(what="no-op", contact_id=snapshot.id)
        return (await reconcile_contact(context, claimed.claim, claimed.known)).outcome


async def _check_gone(
    context: SyncContext, ghl_id: GhlContactId, contact_id: ContactId | None
) -> Outcome:
    """Check whether a contact is really gone. If it was merged, reconcile the survivor.

    One that is gone for good needs a review, and its workspace contact stays. One that was deleted
    in the workspace before is gone on both sides: nothing is to be done.

    Raises:
        ContactGoneError: It is gone, and was linked to a workspace contact that is not deleted.
    """
    if contact_id is None:
        return await handle_unknown_contact(context, ghl_id)
    row = await context.ledger.read(workspace_contacts.get_contact, context.connection, contact_id)
    if row is None or row.deleted:
        return Outcome(what="no-op", contact_id=ghl_id)
    try:
        await context.ghl.get_contact(ghl_id)
    except NotFoundError as error:
        survivor = await follow_merge(context, contact_id, ghl_id)
        if survivor is not None:
            return await handle_contact(context, survivor)
        raise ContactGoneError(contact_id, ghl_id) from error
    return await handle_contact(context, contact_id)


def _read_snapshot(event: InboxEvent, ghl_id: GhlContactId) -> GhlContact:
    """Read the contact from the event; a payload without fields yields its id only."""
    payload: dict[str, Any] = json.loads(event.body)
    return contact_from_webhook({**payload, "id": ghl_id})


def _state_of(tx: Connection, context: SyncContext, snapshot: GhlContact) -> _ContactLookup | Busy:
    """Look up a contact; busy while one with its e-mail or phone is being processed."""
    known = _state_now(tx, context, snapshot)
    if known.contact_id is None:
        remote = map_from_ghl(snapshot, context.settings.rules)
        keys = ghl_keys_of(snapshot, remote, context.settings.region)
        names = locks_of_keys(context.connection, keys)
        if locks.taken(tx, names):
            return Busy(tuple(names))
    return known


def _state_now(tx: Connection, context: SyncContext, snapshot: GhlContact) -> _ContactLookup:
    link = links.link_of_remote(tx, context.connection, "contact", snapshot.id)
    if link is None:
        return _ContactLookup(None, is_news=True)
    stored = ghl_contacts.get_snapshots(tx, context.connection, [snapshot.id]).get(snapshot.id)
    is_in_sync = stored is not None and _digest(context, stored.contact) == link.digest
    settings = context.settings
    is_news = (
        stored is None
        or not is_in_sync
        or _is_asked_about(tx, context, ContactId(link.local_id))
        or has_news(snapshot, stored.contact, settings.rules, settings.region)
    )
    return _ContactLookup(ContactId(link.local_id), is_news=is_news)


def _is_asked_about(tx: Connection, context: SyncContext, contact_id: ContactId) -> bool:
    """Return whether the contact was gone: it may have been restored as it was."""
    subject = RecordRef.contact(contact_id)
    return reviews.open_about(tx, context.connection, "gone", subject) is not None


def _digest(context: SyncContext, ghl: GhlContact) -> str:
    return ghl_contacts.digest_of(map_from_ghl(ghl, context.settings.rules))
