"""The handler of a GHL notification about a note or task: read it by id and reconcile it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.webhooks.activity_webhooks import (
    ActivityNotification,
    read_activity_notification,
)
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import (
    ActivityId,
    ActivityKey,
    ActivityKind,
    is_same_value,
    text_of,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity, map_task
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.activities.read_remote import emails_for, read_remote
from timerex_ghl.engine.activities.resolve_activity import follow_person, resolve_activity
from timerex_ghl.engine.context import SyncContext

GIVE_UP = timedelta(minutes=10)
"""How long a task is searched for. After this it is left to the next sweep."""

MOST_PAGES = 20
"""Pages of a search for one task."""


class _ActivityLookup(NamedTuple):
    """What is known of a note or task. `is_news`: the notification differs from the base."""

    link: Link | None
    is_news: bool


async def handle_activity_notification(
    context: SyncContext, event: InboxEvent, kind: ActivityKind
) -> Outcome:
    """Handle a notification about a note or task.

    Our own writes come back as notifications, too: one that equals the base costs no call.
    """
    if not context.settings.activities.mirrors:
        return Outcome(what="ignored")
    snapshot = read_activity_notification(kind, event.type, event.body)
    known = await context.ledger.read(_state_of, context.connection, snapshot)
    if known.link is not None:
        if not known.is_news:
            return Outcome(what="no-op")
        key = ActivityKey(kind, ActivityId(known.link.local_id))
        if snapshot.contact_id is not None:
            await follow_person(context, key, snapshot.contact_id)
        return await handle_activity(context, key)
    remote = await _read(context, snapshot, event.received_at)
    return Outcome(what="no-op") if remote is None else await resolve_activity(context, remote)


async def _read(
    context: SyncContext, snapshot: ActivityNotification, received_at: datetime
) -> GhlActivity | None:
    """Read a note or task that is not linked yet; None where it is gone or not found."""
    if snapshot.is_delete:
        return None
    emails = await emails_for(context, snapshot.kind)
    contact_id = snapshot.contact_id
    if contact_id is None and snapshot.kind == "task":
        contact_id = await _search(context, snapshot, received_at)
    if contact_id is None:
        return None
    return await read_remote(context, snapshot.kind, contact_id, snapshot.id, emails)


async def _search(
    context: SyncContext, snapshot: ActivityNotification, received_at: datetime
) -> GhlContactId | None:
    """Find the contact of a task whose notification does not name it.

    Raises:
        RetryableError: The search does not show the task yet.
    """
    skip: int | None = 0
    for _ in range(MOST_PAGES):
        page = await context.ghl.search_tasks(words=snapshot.title, skip=skip)
        for task in page.tasks:
            if task.id == snapshot.id:
                return map_task(task).contact_id
        skip = page.skip
        if skip is None:
            break
    if context.now() - received_at < GIVE_UP:
        raise RetryableError(f"task {snapshot.id} is not found yet")
    return None


def _state_of(
    tx: Connection, connection: ConnectionName, snapshot: ActivityNotification
) -> _ActivityLookup:
    link = links.link_of_remote(tx, connection, snapshot.kind, snapshot.id)
    if link is None:
        return _ActivityLookup(None, is_news=True)
    key = ActivityKey(snapshot.kind, ActivityId(link.local_id))
    row = activities.get_activity(tx, connection, key)
    if row is None:
        return _ActivityLookup(link, is_news=False)
    is_in_sync = link.digest is not None and link.local_version == row.version
    if snapshot.is_delete or row.deleted or not is_in_sync:
        return _ActivityLookup(link, is_news=not row.deleted or link.local_version != row.version)
    base = link.base.values if link.base else {}
    is_news = any(
        not is_same_value(field, value, text_of(base, field))
        for field, value in snapshot.values.items()
    )
    return _ActivityLookup(
        link, is_news=is_news or _moved(tx, connection, snapshot, row.contact_id)
    )


def _moved(
    tx: Connection, connection: ConnectionName, snapshot: ActivityNotification, contact_id: str
) -> bool:
    """Return whether the notification names another contact than the workspace does."""
    if snapshot.contact_id is None:
        return False
    link = links.link_of_local(tx, connection, "contact", contact_id)
    return link is None or link.remote_id != snapshot.contact_id
