"""The sentence of a hint from GHL about a note or task: it is read by id, and made level."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.activity_webhooks import ToldActivity, read_told
from timerex_ghl.adapters.ledger import activities, links
from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.domain.activities import (
    ActivityId,
    ActivityKey,
    ActivityKind,
    is_same_value,
    text_of,
)
from timerex_ghl.domain.activity_ghl import GhlActivity, map_task
from timerex_ghl.domain.errors import RetryableError
from timerex_ghl.domain.models import GhlContactId
from timerex_ghl.engine.activities.handle_activity import carry_activity
from timerex_ghl.engine.activities.read_remote import emails_for, read_remote
from timerex_ghl.engine.activities.resolve_activity import follow_person, meet_activity
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.outcome import Outcome

GIVE_UP = timedelta(minutes=10)
"""A task that no search shows after this is not looked for any more: the next sweep finds it."""

MOST_PAGES = 20
"""Pages of a search for one task."""


class _Known(NamedTuple):
    """What is known of a note or task that a hint is about. `is_news`: the hint says more."""

    link: Link | None
    is_news: bool


async def carry_activity_hint(sides: Sides, event: InboxEvent, kind: ActivityKind) -> Outcome:
    """Look into what a hint tells of a note or task.

    Our own writes come back as hints, too: one that tells what both sides agree on costs no call.
    """
    if not sides.settings.activities.mirrors:
        return Outcome(what="ignored")
    told = read_told(kind, event.type, event.body)
    known = await sides.ledger.read(_known, sides, told)
    if known.link is not None:
        if not known.is_news:
            return Outcome(what="no-op")
        key = ActivityKey(kind, ActivityId(known.link.local_id))
        if told.contact_id is not None:
            await follow_person(sides, key, told.contact_id)
        return await carry_activity(sides, key)
    theirs = await _read(sides, told, event.received_at)
    return Outcome(what="no-op") if theirs is None else await meet_activity(sides, theirs)


async def _read(sides: Sides, told: ToldActivity, received_at: datetime) -> GhlActivity | None:
    """Read what nobody here knows yet; None where it is gone, or cannot be found."""
    if told.is_delete:
        return None
    emails = await emails_for(sides, told.kind)
    contact_id = told.contact_id
    if contact_id is None and told.kind == "task":
        contact_id = await _search(sides, told, received_at)
    if contact_id is None:
        return None
    return await read_remote(sides, told.kind, contact_id, told.id, emails)


async def _search(sides: Sides, told: ToldActivity, received_at: datetime) -> GhlContactId | None:
    """Find out whose task it is that came without its contact.

    Raises:
        RetryableError: The search does not show it yet.
    """
    skip: int | None = 0
    for _ in range(MOST_PAGES):
        page = await sides.ghl.search_tasks(words=told.title, skip=skip)
        for task in page.tasks:
            if task.id == told.id:
                return map_task(task).contact_id
        skip = page.skip
        if skip is None:
            break
    if sides.now() - received_at < GIVE_UP:
        raise RetryableError(f"task {told.id} is not found yet")
    return None


def _known(tx: Connection, sides: Sides, told: ToldActivity) -> _Known:
    link = links.link_of_remote(tx, sides.connection, told.kind, told.id)
    if link is None:
        return _Known(None, is_news=True)
    key = ActivityKey(told.kind, ActivityId(link.local_id))
    row = activities.get_activity(tx, sides.connection, key)
    if row is None:
        return _Known(link, is_news=False)
    is_level = link.digest is not None and link.local_version == row.version
    if told.is_delete or row.deleted or not is_level:
        return _Known(link, is_news=not row.deleted or link.local_version != row.version)
    base = link.base.values if link.base else {}
    is_news = any(
        not is_same_value(field, value, text_of(base, field))
        for field, value in told.values.items()
    )
    return _Known(link, is_news=is_news or _moved(tx, sides, told, row.contact_id))


def _moved(tx: Connection, sides: Sides, told: ToldActivity, contact_id: str) -> bool:
    """Tell whether the event names another person than whose it is here."""
    if told.contact_id is None:
        return False
    link = links.link_of_local(tx, sides.connection, "contact", contact_id)
    return link is None or link.remote_id != told.contact_id
