"""Sweep all tasks, and the notes of one contact after another, for unreported changes.

GHL has no webhook for a task that was edited or reopened, and neither tasks nor notes have a
time of change. So each is compared, by its digest, with the state that was last in sync.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.sync import cursors, differences, links, sweeps
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.adapters.ledger.tables.sync.sweeps import Linked
from timerex_ghl.domain.activities.activity_fields import (
    ActivityId,
    ActivityKey,
    ActivityKind,
    ghl_activity_ref,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity, map_note, map_task
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId, Record
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.commit_activity import add_from_ghl
from timerex_ghl.engine.activities.delete_activity import withdraw_found
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.activities.missing import list_gone
from timerex_ghl.engine.activities.read_remote import emails_for, read_remote
from timerex_ghl.engine.activities.resolve_activity import (
    follow_person,
    is_of_booking,
    resolve_activity,
    sent_as,
)
from timerex_ghl.engine.bookings.appointment_sweep import handle_listed_appointment
from timerex_ghl.engine.contacts.follow_merge import following_merges
from timerex_ghl.engine.context import SyncContext, utc_now

CURSOR = "ghl-tasks"
PAGES = 10
"""Pages of tasks that are read before what they showed is processed."""


class _Place(Record):
    """The position of a task sweep: everything before it was returned to the caller."""

    scan: str
    began_at: AwareDatetime
    skip: int = 0


@dataclass(frozen=True)
class Swept:
    """What a part of a sweep found.

    Attributes:
        keys: What may differ, to be processed by `handle_activity_key`.
        added: How many new records of GHL were added to the workspace.
        pending: How many deletes need a person's decision, since they were too many.
        more: The sweep is not finished.
    """

    keys: list[RecordRef]
    added: int = 0
    pending: int = 0
    more: bool = False

    def __add__(self, other: "Swept") -> "Swept":
        """Add what the next part found; its `more` applies."""
        return Swept(
            [*self.keys, *other.keys],
            self.added + other.added,
            self.pending + other.pending,
            other.more,
        )


async def handle_activity_key(context: SyncContext, key: RecordRef, *, dry_run: bool) -> Outcome:
    """Process a note, task or appointment that a sweep listed."""
    if dry_run:
        return await _handle_key(context, key, dry_run=True)
    return await following_merges(context, partial(_handle_key, context, key, dry_run=False))


async def _handle_key(context: SyncContext, key: RecordRef, *, dry_run: bool) -> Outcome:
    match key:
        case RecordRef("note" | "task" as kind, local_id):
            local = ActivityKey(kind, ActivityId(local_id))
            return await handle_activity(context, local, dry_run=dry_run)
        case RecordRef("ghl-note", remote_id, contact_id):
            return await _handle_remote(context, "note", contact_id, remote_id, dry_run=dry_run)
        case RecordRef("ghl-task", remote_id, contact_id):
            return await _handle_remote(context, "task", contact_id, remote_id, dry_run=dry_run)
        case RecordRef("ghl-appointment", appointment_id):
            listed = GhlAppointmentId(appointment_id)
            return await handle_listed_appointment(context, listed, dry_run=dry_run)
        case _:
            return Outcome(what="ignored")


async def list_changed_here(
    context: SyncContext, kind: ActivityKind, since: datetime | None
) -> list[RecordRef]:
    """List what changed in the workspace and did not reach GHL by the live path.

    So is a task whose assignee has become a user of GHL.
    """
    if not context.settings.activities.mirrors:
        return []
    version, emails = context.published.version, {*(await emails_for(context, kind)).values()}

    def read(tx: Connection) -> list[ActivityId]:
        changed = activities.changed_activities(tx, context.connection, kind, since, version)
        return [*changed, *differences.now_assignable(tx, context.connection, emails)]

    return [RecordRef(kind, id_) for id_ in dict.fromkeys(await context.ledger.read(read))]


async def sweep_tasks(context: SyncContext, scan: str, *, dry_run: bool) -> Swept:
    """Read the next pages of all tasks; after the last one, list what is gone.

    After an interruption these pages are read again: nothing of them was returned.
    """
    if not context.settings.activities.mirrors:
        return Swept([])
    saved = await context.ledger.read(cursors.get_cursor, context.connection, CURSOR)
    place = _Place.model_validate_json(saved) if saved else None
    if place is None or place.scan != scan:
        place = _Place(scan=scan, began_at=context.now())
    emails, found = await emails_for(context, "task"), Swept([])
    for _ in range(PAGES):
        page = await context.ghl.search_tasks(skip=place.skip)
        shown = [map_task(task, emails) for task in page.tasks]
        found += await context.ledger.write(
            _compare, context, "task", shown, context.now(), dry_run=dry_run
        )
        if page.skip is None:
            gone, pending = await list_gone(context, "task", place.began_at, dry_run=dry_run)
            return found + Swept(gone, pending=pending)
        place = place.model_copy(update={"skip": page.skip})
    await context.ledger.write(
        cursors.save_cursor, context.connection, CURSOR, place.model_dump_json()
    )
    return found + Swept([], more=True)


async def sweep_notes(context: SyncContext, people: Sequence[Linked], *, dry_run: bool) -> Swept:
    """Read the notes of some contacts: one call each."""
    found = Swept([])
    if not context.settings.activities.mirrors:
        return found
    for person in people:
        began_at = context.now()
        with suppress(NotFoundError):  # the contact is gone: the contact's own handler finds that
            notes = await context.ghl.list_notes(person.ghl_id)
            shown = [map_note(note) for note in notes]
            found += await context.ledger.write(
                _compare, context, "note", shown, context.now(), dry_run=dry_run
            )
            gone, pending = await list_gone(
                context, "note", began_at, of=person.contact_id, dry_run=dry_run
            )
            found += Swept(gone, pending=pending)
        if not dry_run:
            await context.ledger.write(_note_read, context.connection, person, began_at)
    return found


async def _handle_remote(
    context: SyncContext,
    kind: ActivityKind,
    contact_id: GhlContactId | None,
    remote_id: str,
    *,
    dry_run: bool,
) -> Outcome:
    """Process a note or task by its id in GHL, linked or new."""
    link = await context.ledger.read(links.link_of_remote, context.connection, kind, remote_id)
    if link is not None:
        key = ActivityKey(kind, ActivityId(link.local_id))
        if contact_id is not None and not dry_run:
            await follow_person(context, key, contact_id)
        return await handle_activity(context, key, dry_run=dry_run)
    if contact_id is None:
        return Outcome(what="no-op")
    emails = await emails_for(context, kind)
    remote = await read_remote(context, kind, contact_id, remote_id, emails)
    if remote is None:
        return Outcome(what="no-op")
    return await resolve_activity(context, remote, dry_run=dry_run)


def _note_read(tx: Connection, connection: ConnectionName, person: Linked, at: datetime) -> None:
    links.mark_checked(tx, connection, "contact", [person.ghl_id], at)


def _compare(
    tx: Connection,
    context: SyncContext,
    kind: ActivityKind,
    shown: list[GhlActivity],
    now: datetime,
    *,
    dry_run: bool,
) -> Swept:
    """Mark what a page shows as checked, add what is new, and list what differs from its digest.

    New is what we did not send. It is added as the page shows it, without a further read: should
    the page be stale, the next sweep sees another digest.
    """
    connection, ids = context.connection, [one.id for one in shown]
    linked = links.links_of_remotes(tx, connection, kind, ids)
    moved = _moved(tx, connection, kind, shown, linked)
    changed = [
        one
        for one in shown
        if one.id in linked and (one.id in moved or linked[one.id].digest != one.digest)
    ]
    people = _people_of(tx, connection, [one for one in shown if one.id not in linked])
    new = [one for one in shown if one.id not in linked and one.contact_id in people]
    new = [one for one in new if not is_of_booking(tx, connection, one)]
    local = [one for one in new if sent_as(tx, connection, one) is not None]
    links.mark_checked(tx, connection, kind, ids, now)
    if dry_run:
        return Swept([_key_of(one) for one in (*new, *changed)])
    withdraw_found(tx, context, kind, [link.local_id for link in linked.values()], now)
    fresh = [one for one in new if one not in local]
    add_from_ghl(tx, context, [(people[one.contact_id], one) for one in fresh], now)
    return Swept([_key_of(one) for one in (*local, *changed)], added=len(fresh))


def _moved(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    shown: Sequence[GhlActivity],
    linked: Mapping[str, Link],
) -> set[str]:
    """Return which records GHL shows with another contact than the workspace: it was merged."""
    ids = {one.id: ActivityId(linked[one.id].local_id) for one in shown if one.id in linked}
    rows = activities.get_activities(tx, connection, kind, [*ids.values()])
    owners = {row.contact_id for row in rows.values()}
    contacts = links.links_of_locals(tx, connection, "contact", owners)
    known = {
        one.id: contacts[rows[ids[one.id]].contact_id].remote_id
        for one in shown
        if one.id in ids and ids[one.id] in rows and rows[ids[one.id]].contact_id in contacts
    }
    return {one.id for one in shown if known.get(one.id, one.contact_id) != one.contact_id}


def _people_of(
    tx: Connection, connection: ConnectionName, shown: Sequence[GhlActivity]
) -> dict[GhlContactId | None, ContactId]:
    """Map GHL contacts to living workspace contacts. `contact-sync` brings in all others."""
    contact_ids = {one.contact_id for one in shown if one.contact_id is not None}
    linked = links.links_of_remotes(tx, connection, "contact", contact_ids)
    rows = workspace_contacts.get_contacts(
        tx, connection, [ContactId(link.local_id) for link in linked.values()]
    )
    alive = {contact_id for contact_id, keyed in rows.items() if not keyed.row.deleted}
    return {
        GhlContactId(ghl_id): ContactId(link.local_id)
        for ghl_id, link in linked.items()
        if link.local_id in alive
    }


def _key_of(one: GhlActivity) -> RecordRef:
    return ghl_activity_ref(one.kind, one.id, one.contact_id)


def next_people(tx: Connection, context: SyncContext, since: datetime | None) -> list[Linked]:
    """List the contacts whose notes are read next, as many as the hourly call budget allows."""
    most = call_budget.budget_of(tx, context, utc_now())
    return sweeps.next_people(tx, context.connection, most, since=since)
