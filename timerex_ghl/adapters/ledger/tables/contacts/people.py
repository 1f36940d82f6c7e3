"""Find the people that keys lead to: workspace contacts, and GHL's contacts as last read."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import Keyed
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.contacts.identity import Candidate, Keys, keys_of_others
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)


class KnownPerson(NamedTuple):
    """A workspace contact.

    Attributes:
        ghl_id: The GHL contact it is linked to; None where it is not linked.
        ghl: That contact, where it has one of the keys, too.
    """

    row: WorkspaceContact
    ghl_id: GhlContactId | None
    ghl: GhlContact | None


class People(NamedTuple):
    """The people with some keys.

    Attributes:
        known: The workspace's contacts; the keys are theirs and those of their GHL contacts.
        unlinked: GHL's contacts that are not linked to a workspace contact, or to a deleted one.
    """

    known: list[Candidate[KnownPerson]]
    unlinked: list[Candidate[GhlContact]]

    @property
    def ghl_ids(self) -> list[GhlContactId]:
        """Return the ids of all these GHL contacts."""
        linked = (one.person.ghl for one in self.known)
        return [ghl.id for ghl in (*linked, *(one.person for one in self.unlinked)) if ghl]

    @property
    def others(self) -> list[Keys]:
        """Return the keys of the unlinked GHL contacts that are nobody's in the workspace."""
        return keys_of_others(
            [one for one in self.known if one.person.ghl_id is None], self.unlinked
        )


class KeyedGhlContact(NamedTuple):
    """A contact of GHL and its match keys."""

    contact: GhlContact
    keys: Keys


def find_people(
    tx: Connection,
    connection: ConnectionName,
    several: Collection[Keys],
    just_read: Iterable[KeyedGhlContact] = (),
) -> People:
    """Find everybody with one of these e-mails or phones.

    Args:
        tx: Open transaction.
        connection: The connection.
        several: The keys of one or more people.
        just_read: Contacts that GHL has just returned; they count instead of their snapshots.
    """
    if not several:
        return People([], [])
    rows = {one.row.id: one for one in workspace_contacts.find_by_keys(tx, connection, several)}
    remote = {
        one.contact.id: KeyedGhlContact(one.contact, one.keys)
        for one in ghl_contacts.find_by_keys(tx, connection, several)
    } | {one.contact.id: one for one in just_read}
    owners = _owners(tx, connection, remote)
    missing = set(owners.values()) - rows.keys()
    if missing:
        found = workspace_contacts.get_contacts(tx, connection, missing)
        rows |= {contact_id: one for contact_id, one in found.items() if not one.row.deleted}
    linked = links.links_of_locals(tx, connection, "contact", [*rows]) if rows else {}
    return People(
        [
            _known(one, GhlContactId(link.remote_id) if link else None, remote)
            for contact_id, one in sorted(rows.items())
            for link in (linked.get(contact_id),)
        ],
        [
            Candidate(ghl_id, contact, keys)
            for ghl_id, (contact, keys) in sorted(remote.items())
            if owners.get(ghl_id) not in rows
        ],
    )


def _owners(
    tx: Connection, connection: ConnectionName, remote: Mapping[GhlContactId, KeyedGhlContact]
) -> dict[GhlContactId, ContactId]:
    if not remote:
        return {}
    found = links.links_of_remotes(tx, connection, "contact", [*remote])
    return {GhlContactId(ghl_id): ContactId(link.local_id) for ghl_id, link in found.items()}


def _known(
    one: Keyed, ghl_id: GhlContactId | None, remote: Mapping[GhlContactId, KeyedGhlContact]
) -> Candidate[KnownPerson]:
    ghl = remote.get(ghl_id) if ghl_id is not None else None
    if ghl is None:
        return Candidate(one.row.id, KnownPerson(one.row, ghl_id, None), one.keys)
    person = KnownPerson(one.row, ghl_id, ghl.contact)
    return Candidate(one.row.id, person, one.keys.joined(ghl.keys))
