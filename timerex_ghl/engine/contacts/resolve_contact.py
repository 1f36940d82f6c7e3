"""Resolve a GHL contact to a workspace contact: linked, matched by key, or new."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import StoredSnapshot
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.contacts.people import KnownPerson, find_people
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import new_row
from timerex_ghl.adapters.ledger.tables.sync import links, locks
from timerex_ghl.domain.contacts.identity import (
    Candidate,
    Keys,
    match_person,
)
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import ReviewNeededError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.commit_contact import add_rows_from_ghl
from timerex_ghl.engine.contacts.deleted_contact import link_tombstones
from timerex_ghl.engine.contacts.match_contact import the_one
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.close_reviews import close_answered
from timerex_ghl.engine.writes.lock_names import locks_of_keys
from timerex_ghl.engine.writes.locking import Busy


class ContactToResolve(NamedTuple):
    """A GHL contact, as it was last read, whose workspace contact is not known yet.

    Attributes:
        adds: Add the contact to the workspace where it is new.
    """

    context: SyncContext
    ghl_id: GhlContactId
    adds: bool


class ResolvedContact(NamedTuple):
    """The workspace contact of a GHL contact.

    Attributes:
        snapshot: The GHL contact as it was last read; None where it never was.
        contact_id: The workspace contact; None where there is none, or it was added just now.
    """

    snapshot: StoredSnapshot | None
    contact_id: ContactId | None


Result = ResolvedContact | Busy | Exception
New = tuple[WorkspaceContact, GhlContact, Contact]


def resolve_contacts(tx: Connection, unresolved: list[ContactToResolve]) -> list[Result]:
    """Resolve GHL contacts, and add those that are new to the workspace.

    A contact whose keys are locked is being processed by another process: busy.
    """
    resolved: dict[tuple[ConnectionName, GhlContactId], Result] = {}
    for connection in {request.context.connection for request in unresolved}:
        here = {each.ghl_id: each for each in unresolved if each.context.connection == connection}
        resolved |= {
            (connection, ghl_id): one for ghl_id, one in _resolve(tx, connection, here).items()
        }
    return [resolved[request.context.connection, request.ghl_id] for request in unresolved]


def _resolve(
    tx: Connection, connection: ConnectionName, here: dict[GhlContactId, ContactToResolve]
) -> dict[GhlContactId, Result]:
    snapshot = ghl_contacts.get_snapshots(tx, connection, here)
    linked = links.links_of_remotes(tx, connection, "contact", here)
    resolved: dict[GhlContactId, Result] = dict.fromkeys(here, ResolvedContact(None, None))
    for ghl_id in snapshot:
        if ghl_id in linked:
            resolved[ghl_id] = ResolvedContact(snapshot[ghl_id], ContactId(linked[ghl_id].local_id))
    strangers = {ghl_id: one for ghl_id, one in snapshot.items() if ghl_id not in linked}
    if strangers:
        context = here[next(iter(strangers))].context
        keys = {ghl_id: one.keys for ghl_id, one in strangers.items()}
        for ghl_id in link_tombstones(tx, context, keys):
            resolved[ghl_id] = ResolvedContact(None, None)
            del strangers[ghl_id]
    return {**resolved, **_resolve_unlinked(tx, here, strangers)} if strangers else resolved


def _resolve_unlinked(
    tx: Connection,
    here: dict[GhlContactId, ContactToResolve],
    strangers: dict[GhlContactId, StoredSnapshot],
) -> dict[GhlContactId, Result]:
    context = here[next(iter(strangers))].context
    names = {i: locks_of_keys(context.connection, each.keys) for i, each in strangers.items()}
    taken = locks.taken(tx, {name for several in names.values() for name in several})
    people = find_people(tx, context.connection, [each.keys for each in strangers.values()])
    known = [*people.known]
    unlinked = {one.person.id: one.keys for one in people.unlinked}
    apart_from = kept_apart.apart_from(tx, context.connection, strangers)
    now = context.now()
    new: list[New] = []
    resolved: dict[GhlContactId, Result] = {}
    for ghl_id, remote in strangers.items():
        if not taken.isdisjoint(names[ghl_id]):
            resolved[ghl_id] = Busy(tuple(names[ghl_id]))
            continue
        try:
            possible = [
                one for one in known if ContactPair(one.person.row.id, ghl_id) not in apart_from
            ]
            others = [keys for other_id, keys in unlinked.items() if other_id != ghl_id]
            row = _choose(remote.keys, possible, others)
        except ReviewNeededError as several:
            several.subject = RecordRef.ghl_contact(ghl_id)
            resolved[ghl_id] = several
            continue
        resolved[ghl_id] = ResolvedContact(remote, row.id if row else None)
        if row is None and here[ghl_id].adds:
            contact = map_from_ghl(remote.contact, context.settings.rules)
            added = new_row(contact, now)
            person = KnownPerson(added, ghl_id, remote.contact)
            known.append(Candidate(added.id, person, remote.keys))  # the next may have these keys
            unlinked.pop(ghl_id, None)
            new.append((added, remote.contact, contact))
    _add(tx, context, new, now)
    return resolved


def _add(tx: Connection, context: SyncContext, new: list[New], now: datetime) -> None:
    """Add new contacts; doubts about who they are have ended."""
    add_rows_from_ghl(tx, context, new, now)
    clear = [RecordRef.ghl_contact(ghl.id) for _, ghl, _ in new]
    close_answered(tx, context.connection, clear, now)


def _choose(
    keys: Keys, known: list[Candidate[KnownPerson]], others: list[Keys]
) -> WorkspaceContact | None:
    """Return the workspace contact that has these keys, if any.

    Raises:
        ReviewNeededError: There are several, or it is linked to another GHL contact.
    """
    person = the_one(match_person(keys, known, others))
    if person is None or person.ghl_id is None:
        return None if person is None else person.row
    raise ReviewNeededError(
        f"contact {person.row.id} has its e-mail or phone, but is GHL contact {person.ghl_id}",
        kind="identity",
        people=[person.row.id],
        ghl_ids=[person.ghl_id],
    )
