"""What no webhook tells: all tasks are looked through, and people's notes one after another.

GHL has no event for a task that was edited or opened again, and no time of change in either. So
each is compared, by its digest, with what it said when both sides were level.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pydantic import AwareDatetime
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import activities, cursors, links, workspace
from timerex_ghl.adapters.ledger.sweeps import Linked
from timerex_ghl.carry.activity import carry_activity
from timerex_ghl.carry.activity_delete import withdraw_seen
from timerex_ghl.carry.activity_gone import list_gone
from timerex_ghl.carry.activity_meet import follow_person, meet_activity
from timerex_ghl.carry.activity_read import emails_for, read_remote
from timerex_ghl.carry.outcome import Outcome
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.sync.activities import ActivityId, ActivityKey, ActivityKind
from timerex_ghl.sync.activity_ghl import GhlActivity, map_note, map_task
from timerex_ghl.sync.errors import NotFoundError
from timerex_ghl.sync.models import ContactId, GhlContactId, Record

CURSOR = "ghl-tasks"
PAGES = 10
"""Pages of tasks that are read before what they showed is carried."""

CLOCKS: dict[str, ActivityKind] = {"ghl-note": "note", "ghl-task": "task"}


class _Place(Record):
    """How far a sweep of the tasks has come; a run that was killed goes on from here."""

    scan: str
    began_at: AwareDatetime
    skip: int = 0


class Swept(NamedTuple):
    """What a part of a sweep found.

    Attributes:
        keys: Whatever may differ, to be carried by `carry_activity_key`.
        more: The sweep is not at its end.
        held: Deletes that wait for a person, since they were too many.
    """

    keys: list[str]
    more: bool = False
    held: int = 0


async def carry_activity_key(sides: Sides, key: str, *, preview: bool) -> Outcome:
    """Carry a note or task that a sweep named."""
    kind, _, rest = key.partition(":")
    if kind not in CLOCKS:
        named: ActivityKind = "note" if kind == "note" else "task"
        return await carry_activity(sides, ActivityKey(named, ActivityId(rest)), preview=preview)
    contact_id, _, remote_id = rest.partition(":")
    return await _carry_remote(
        sides, CLOCKS[kind], GhlContactId(contact_id), remote_id, preview=preview
    )


async def list_changed_here(sides: Sides, kind: ActivityKind, since: datetime | None) -> list[str]:
    """List what changed here and did not reach GHL: what the live path left."""
    found = await sides.ledger.read(activities.changed_activities, sides.connection, kind, since)
    return [f"{kind}:{id_}" for id_ in found]


async def sweep_tasks(sides: Sides, scan: str, *, preview: bool) -> Swept:
    """Look through the next pages of all tasks; the last ones tell what is gone."""
    saved = await sides.ledger.read(cursors.get_cursor, sides.connection, CURSOR)
    place = _Place.model_validate_json(saved) if saved else None
    if place is None or place.scan != scan:
        place = _Place(scan=scan, began_at=utc_now())
    keys: list[str] = []
    for _ in range(PAGES):
        page = await sides.ghl.search_tasks(skip=place.skip)
        shown = [map_task(task) for task in page.tasks]
        keys += await sides.ledger.write(_compare, sides, "task", shown, utc_now())
        if page.skip is None:
            gone, held = await list_gone(sides, "task", place.began_at, preview=preview)
            return Swept([*keys, *gone], held=held)
        place = place.model_copy(update={"skip": page.skip})
        await sides.ledger.write(
            cursors.save_cursor, sides.connection, CURSOR, place.model_dump_json()
        )
    return Swept(keys, more=True)


async def sweep_notes(sides: Sides, people: Sequence[Linked], *, preview: bool) -> Swept:
    """Look through the notes of some people: one call each."""
    keys: list[str] = []
    held = 0
    for person in people:
        began_at = utc_now()
        try:
            notes = await sides.ghl.list_notes(person.ghl_id)
        except NotFoundError:  # their contact is gone, or merged: that is looked into elsewhere
            await sides.ledger.write(_note_read, sides, person, began_at)
            continue
        shown = [map_note(note) for note in notes]
        keys += await sides.ledger.write(_compare, sides, "note", shown, utc_now())
        gone, waits = await list_gone(
            sides, "note", began_at, of=person.contact_id, preview=preview
        )
        keys += gone
        held += waits
        if not preview:
            await sides.ledger.write(_note_read, sides, person, began_at)
    return Swept(keys, held=held)


async def _carry_remote(
    sides: Sides, kind: ActivityKind, contact_id: GhlContactId, remote_id: str, *, preview: bool
) -> Outcome:
    """Carry a note or task by its id in GHL, linked or new."""
    link = await sides.ledger.read(links.link_of_remote, sides.connection, kind, remote_id)
    if link is not None:
        key = ActivityKey(kind, ActivityId(link.local_id))
        if not preview:
            await follow_person(sides, key, contact_id)
        return await carry_activity(sides, key, preview=preview)
    emails = await emails_for(sides, kind)
    theirs = await read_remote(sides, kind, contact_id, remote_id, emails)
    if theirs is None:
        return Outcome(what="no-op")
    return await meet_activity(sides, theirs, preview=preview)


def _note_read(tx: Connection, sides: Sides, person: Linked, at: datetime) -> None:
    links.note_seen(tx, sides.connection, "contact", [person.ghl_id], at)


def _compare(
    tx: Connection, sides: Sides, kind: ActivityKind, shown: list[GhlActivity], now: datetime
) -> list[str]:
    """Note what was seen; name what does not say what it said when both sides were level."""
    connection, ids = sides.connection, [one.id for one in shown]
    linked = links.links_of_remotes(tx, connection, kind, ids)
    links.note_seen(tx, connection, kind, ids, now)
    withdraw_seen(tx, sides, kind, [link.local_id for link in linked.values()], now)
    new = [one for one in shown if one.id not in linked]
    living = _living(tx, sides, {one.contact_id for one in new if one.contact_id is not None})
    of_bookings = links.links_of_remotes(
        tx, connection, "booking-note", [one.id for one in new if kind == "note"]
    )
    key_of = partial(_key_of, kind)
    return [
        *(key_of(one) for one in new if one.contact_id in living and one.id not in of_bookings),
        *(key_of(one) for one in shown if one.id in linked and linked[one.id].digest != one.digest),
    ]


def _living(tx: Connection, sides: Sides, contact_ids: set[GhlContactId]) -> set[GhlContactId]:
    """Tell who of GHL's contacts lives here. All others are `contact-sync`'s to bring."""
    linked = links.links_of_remotes(tx, sides.connection, "contact", contact_ids)
    rows = workspace.get_contacts(
        tx, sides.connection, [ContactId(link.local_id) for link in linked.values()]
    )
    alive = {contact_id for contact_id, keyed in rows.items() if not keyed.row.deleted}
    return {GhlContactId(id_) for id_, link in linked.items() if link.local_id in alive}


def _key_of(kind: ActivityKind, one: GhlActivity) -> str:
    return f"ghl-{kind}:{one.contact_id}:{one.id}"
