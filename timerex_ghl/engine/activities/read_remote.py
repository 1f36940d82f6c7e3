"""Read a note or task from GHL, and recover writes whose outcome is unknown."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.webhooks.activity_webhooks import (
    ActivityNotification,
    read_activity_notification,
)
from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import ActivityKey, ActivityKind
from timerex_ghl.domain.activities.activity_mapping import GhlActivity, map_note, map_task
from timerex_ghl.domain.shared.actions import ActivityAction, CreateActivity, UpdateActivity
from timerex_ghl.domain.shared.errors import NotFoundError, RetryableError
from timerex_ghl.domain.shared.ghl_models import GhlTaskId
from timerex_ghl.domain.shared.models import ConnectionName, Contact, GhlContactId, GhlNoteId
from timerex_ghl.engine.activities.claim_activity import ActivityState
from timerex_ghl.engine.activities.write_activity import Emails, is_shown
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION, close, wait_if_young

CLOCKS_DIFFER = timedelta(minutes=1)
"""The gateway's clock may be behind the worker's by this much."""


class RemoteActivity(NamedTuple):
    """A note or task in GHL.

    Attributes:
        link: None where it was never in GHL.
        ghl: None where GHL does not have it, or no longer.
    """

    link: Link | None
    ghl: GhlActivity | None


async def emails_for(context: SyncContext, kind: ActivityKind) -> Emails:
    """Return the users that tasks can be assigned to; none for notes."""
    return await context.users.emails(context.ghl) if kind == "task" else {}


async def read_remote_activity(
    context: SyncContext, known: ActivityState, emails: Emails
) -> RemoteActivity:
    """Read what GHL has, and close open intents by that.

    Raises:
        RetryableError: It was sent moments ago and may not be found yet.
    """
    if known.link is None:
        known = await _source_of(context, known)
    if known.link is None:
        return await _find_created(context, known, emails)
    ghl = None
    if known.contact_id is not None:
        ghl = await read_remote(
            context, known.key.kind, known.contact_id, known.link.remote_id, emails
        )
    link = known.link
    for intent in known.unknown:
        action = ACTION.validate_json(intent.payload)
        if isinstance(action, ActivityAction) and is_shown(action, ghl):
            link = _with_base(link, action)
            await context.ledger.write(_commit_recovered, intent, link)
        else:
            await context.ledger.write(close, intent, None)
    return RemoteActivity(link, ghl)


def _with_base(link: Link, action: ActivityAction) -> Link:
    """Return the link after an update: the values that were sent are agreed."""
    if not isinstance(action, UpdateActivity):
        return link
    agreed = link.base.values if link.base else {}
    return link.model_copy(update={"base": Contact(values={**agreed, **action.values})})


def _commit_recovered(tx: Connection, intent: Intent, link: Link) -> None:
    """Store the outcome of a write whose answer was never read, and the base after it."""
    links.save_links(tx, [link])
    close(tx, intent, link.remote_id)


async def read_remote(
    context: SyncContext,
    kind: ActivityKind,
    contact_id: GhlContactId,
    remote_id: str,
    emails: Emails,
) -> GhlActivity | None:
    """Read a note or task of GHL by id; None where it is gone."""
    with suppress(NotFoundError):
        if kind == "note":
            return map_note(await context.ghl.get_note(contact_id, GhlNoteId(remote_id)))
        return map_task(await context.ghl.get_task(contact_id, GhlTaskId(remote_id)), emails)
    return None


async def _source_of(context: SyncContext, known: ActivityState) -> ActivityState:
    """Link what a GHL notification proves to exist, though it may have been deleted since."""
    for intent in known.unknown:
        action = ACTION.validate_json(intent.payload)
        if not isinstance(action, CreateActivity):
            continue
        snapshot = await context.ledger.read(
            _event_of, context.connection, known.key, intent.created_at
        )
        if snapshot is not None:
            link = await context.ledger.write(
                _link_found, context.connection, known, intent, action, snapshot.id
            )
            rest = [one for one in known.unknown if one.id != intent.id]
            return known._replace(link=link, unknown=rest)
    return known


def _event_of(
    tx: Connection, connection: ConnectionName, key: ActivityKey, sent_at: datetime
) -> ActivityNotification | None:
    """Find a notification with the marker of what was sent."""
    since = sent_at - CLOCKS_DIFFER
    for event in inbox_lookups.deliveries_naming(tx, connection, "ghl", key.id, since):
        if event.record is not None and event.record.kind == f"ghl-{key.kind}":
            snapshot = read_activity_notification(key.kind, event.type, event.body)
            if snapshot.marker == key.id:
                return snapshot
    return None


async def _find_created(
    context: SyncContext, known: ActivityState, emails: Emails
) -> RemoteActivity:
    """Find by its marker what an earlier run sent, if anything."""
    for intent in known.unknown:
        action = ACTION.validate_json(intent.payload)
        if not isinstance(action, CreateActivity):
            await context.ledger.write(close, intent, None)
            continue
        ghl = await find_marked(context, known, action, emails)
        if ghl is not None:
            link = await context.ledger.write(
                _link_found, context.connection, known, intent, action, ghl.id
            )
            return RemoteActivity(link, ghl)
        wait_if_young(context, intent, str(known.key))
        await context.ledger.write(close, intent, None)
    return RemoteActivity(None, None)


async def find_marked(
    context: SyncContext, known: ActivityState, action: CreateActivity, emails: Emails
) -> GhlActivity | None:
    """Search the notes or tasks of the contact it was sent to, then of the current one.

    Raises:
        RetryableError: The contact is gone; a merge may not have been processed yet.
    """
    for contact_id in dict.fromkeys((action.contact_id, known.contact_id or action.contact_id)):
        try:
            shown = await _list(context, known.key.kind, contact_id, emails)
        except NotFoundError as error:
            if contact_id != known.contact_id:
                continue
            raise RetryableError(f"the contact of {known.key} is gone in GHL") from error
        for one in shown:
            if one.marker == action.activity_id:
                return one
    return None


async def _list(
    context: SyncContext, kind: ActivityKind, contact_id: GhlContactId, emails: Emails
) -> list[GhlActivity]:
    if kind == "note":
        return [map_note(note) for note in await context.ghl.list_notes(contact_id)]
    return [map_task(task, emails) for task in await context.ghl.list_tasks(contact_id)]


def _link_found(
    tx: Connection,
    connection: ConnectionName,
    known: ActivityState,
    intent: Intent,
    action: CreateActivity,
    remote_id: str,
) -> Link:
    """Save a link to what was found, with the values sent as its base."""
    link = Link(
        connection=connection,
        kind=known.key.kind,
        local_id=known.row.id,
        remote_id=remote_id,
        written_at=intent.created_at,
        base=Contact(values={**action.values}),
    )
    links.save_links(tx, [link])
    close(tx, intent, remote_id)
    return link
