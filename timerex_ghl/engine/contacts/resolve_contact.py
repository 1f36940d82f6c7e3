"""Resolve a GHL contact to a workspace contact: linked, matched by key, or new."""

from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts as people
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import StoredSnapshot
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import Keyed
from timerex_ghl.adapters.ledger.tables.sync import links, locks
from timerex_ghl.domain.contacts.identity import Keys
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
from timerex_ghl.engine.contacts.commit_contact import add_rows_from_ghl
from timerex_ghl.engine.contacts.deleted_contact import link_tombstones
from timerex_ghl.engine.contacts.match_contact import choose_row
from timerex_ghl.engine.context import SyncContext
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
    known = people.find_by_keys(tx, context.connection, [each.keys for each in strangers.values()])
    taken_by = _contacts_of(tx, context.connection, known)
    apart_from = kept_apart.apart_from(tx, context.connection, strangers)
    now = context.now()
    new: list[New] = []
    resolved: dict[GhlContactId, Result] = {}
    for ghl_id, remote in strangers.items():
        if not taken.isdisjoint(names[ghl_id]):
            resolved[ghl_id] = Busy(tuple(names[ghl_id]))
            continue
        try:
            others = [one for one in known if ContactPair(one.row.id, ghl_id) not in apart_from]
            row = _check_free(_find(others, remote.keys), taken_by)
        except ReviewNeededError as several:
            resolved[ghl_id] = several
            continue
        resolved[ghl_id] = ResolvedContact(remote, row.id if row else None)
        if row is None and here[ghl_id].adds:
            contact = map_from_ghl(remote.contact, context.settings.rules)
            added = people.new_row(contact, now)
            known.append(Keyed(added, remote.keys))  # the next one may have the same keys
            taken_by[added.id] = ghl_id
            new.append((added, remote.contact, contact))
    add_rows_from_ghl(tx, context, new, now)
    return resolved


def _contacts_of(
    tx: Connection, connection: ConnectionName, known: list[Keyed]
) -> dict[ContactId, str]:
    """Map those that are linked to their GHL contacts."""
    if not known:
        return {}
    linked = links.links_of_locals(tx, connection, "contact", [row.id for row, _ in known])
    return {ContactId(contact_id): link.remote_id for contact_id, link in linked.items()}


def _check_free(
    row: WorkspaceContact | None, taken_by: dict[ContactId, str]
) -> WorkspaceContact | None:
    """Return the row unless it is linked to another GHL contact.

    Raises:
        ReviewNeededError: It is linked to another GHL contact.
    """
    if row is not None and row.id in taken_by:
        raise ReviewNeededError(
            f"contact {row.id} has its e-mail or phone, but is GHL contact {taken_by[row.id]}",
            kind="identity",
            people=[row.id],
            ghl_ids=[taken_by[row.id]],
        )
    return row


def _find(known: list[Keyed], keys: Keys) -> WorkspaceContact | None:
    email, phone = keys
    return choose_row(
        [row for row, remote in known if email is not None and remote.email == email],
        [row for row, remote in known if phone is not None and remote.phone == phone],
    )
