"""Match a contact of the workspace with its contact in GHL."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.identity import (
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    is_same_person,
    match_person,
)
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import NotFoundError, ReviewNeededError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.engine.context import SyncContext

Index = tuple[Sequence[GhlContact], Sequence[GhlContact]]
"""GHL's contacts with a contact's e-mail, and those with its phone."""


class Person(NamedTuple):
    """A workspace contact with its link and keys.

    Attributes:
        link: To its GHL contact, if there is one.
        keys: E-mail and phone, in the form they are searched by.
    """

    row: WorkspaceContact
    link: Link | None
    keys: Keys

    @property
    def base(self) -> Contact | None:
        """Return what both last agreed on; None before the first time."""
        return self.link.base if self.link else None


async def read_ghl(
    context: SyncContext, person: Person, index: Index | None = None
) -> GhlContact | None:
    """Read the current GHL contact of a person: by link, else by e-mail and by phone.

    Args:
        context: The connection's clients, ledger and settings.
        person: The workspace contact.
        index: The contacts with its keys among the pages that were read: a bulk run has them all,
            and never asks GHL once per record. None on the live path: one call to GHL per key.

    Raises:
        ReviewNeededError: The linked contact is gone, or several contacts match.
    """
    if person.link is not None:
        return await _read_linked(context, person.link)
    found = (
        choose(*index, person_id=person.row.id)
        if index is not None
        else await find_in_ghl(context, person.keys, person.row.id)
    )
    return None if found is None else await accept_match(context, person, found)


async def find_in_ghl(
    context: SyncContext, keys: Keys, person_id: ContactId | None = None
) -> GhlContact | None:
    """Find the one GHL contact with these keys, looking up each key separately.

    Contacts that the person is kept apart from are skipped.

    Raises:
        ReviewNeededError: The keys lead to different contacts.
    """
    email = await context.ghl.find_duplicate(email=keys.email) if keys.email else None
    phone = await context.ghl.find_duplicate(phone=keys.phone) if keys.phone else None
    found = [one for one in (email, phone) if one is not None]
    if found and person_id is not None:
        ids = [one.id for one in found]
        pairs = await context.ledger.read(kept_apart.apart_from, context.connection, ids)
        found = [one for one in found if ContactPair(person_id, one.id) not in pairs]
    return choose(found, [], person_id=person_id)


def choose(
    by_email: Sequence[GhlContact],
    by_phone: Sequence[GhlContact],
    *,
    person_id: ContactId | None = None,
) -> GhlContact | None:
    """Return the one contact that was found, if any.

    Raises:
        ReviewNeededError: There are several.
    """
    match match_person(None, by_email, by_phone, lambda contact: contact.id):
        case Match(contact):
            return contact
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise ReviewNeededError(
                f"several GHL contacts could be this person: {', '.join(ids)}",
                kind="identity",
                people=filter(None, [person_id]),
                ghl_ids=ids,
            )


async def accept_match(context: SyncContext, person: Person, ghl: GhlContact) -> GhlContact:
    """Accept a contact that was found by a key as this person's, after checking both.

    Raises:
        ReviewNeededError: It contradicts the workspace, or is linked to another contact.
    """
    claims = await context.ledger.read(_claims_on, context.connection, ghl.id)
    why = _why_not(context, person, ghl, claims)
    if why is not None:
        raise ReviewNeededError(
            f"GHL contact {ghl.id} {why}", kind="identity", people=[person.row.id], ghl_ids=[ghl.id]
        )
    if claims.is_of_tombstone:
        await context.ledger.write(free_from_tombstone, context.connection, ghl.id)
    return ghl


class _Claims(NamedTuple):
    """What is known of a GHL contact's owner. A tombstone's link does not count as one."""

    owner: Link | None
    is_of_tombstone: bool
    apart_from: set[ContactPair]


def _why_not(context: SyncContext, person: Person, ghl: GhlContact, claims: _Claims) -> str | None:
    if ContactPair(person.row.id, ghl.id) in claims.apart_from:
        return (
            "is kept apart from this contact, and GHL refuses a second one: allow duplicates there,"
            " or change the e-mail or phone"
        )
    owner = claims.owner
    if owner is not None and owner.local_id != person.row.id:
        return f"is already linked to contact {owner.local_id}"
    remote = map_from_ghl(ghl, context.settings.rules)
    if not is_same_person(person.row.contact, remote, context.settings.region):
        return "has the same e-mail or phone and differs in the other"
    return None


def _claims_on(tx: Connection, connection: ConnectionName, ghl_id: GhlContactId) -> _Claims:
    link = links.link_of_remote(tx, connection, "contact", ghl_id)
    is_of_tombstone = link is not None and _is_gone(tx, connection, link)
    apart_from = kept_apart.apart_from(tx, connection, [ghl_id])
    return _Claims(None if is_of_tombstone else link, is_of_tombstone, apart_from)


def free_from_tombstone(tx: Connection, connection: ConnectionName, ghl_id: GhlContactId) -> None:
    """Drop the link of a GHL contact to a deleted workspace contact: the person has come back."""
    link = links.link_of_remote(tx, connection, "contact", ghl_id)
    if link is not None and _is_gone(tx, connection, link):
        links.drop_link(tx, connection, "contact", link.local_id)


def _is_gone(tx: Connection, connection: ConnectionName, link: Link) -> bool:
    row = workspace_contacts.get_contact(tx, connection, ContactId(link.local_id))
    return row is None or row.deleted


def choose_row(
    by_email: Sequence[WorkspaceContact], by_phone: Sequence[WorkspaceContact]
) -> WorkspaceContact | None:
    """Return the one workspace contact that was found, if any.

    Raises:
        ReviewNeededError: There are several.
    """
    match match_person(None, by_email, by_phone, lambda row: row.id):
        case Match(row):
            return row
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise ReviewNeededError(
                f"several contacts could be this person: {', '.join(ids)}",
                kind="identity",
                people=ids,
            )


async def read_again(context: SyncContext, person: Person, paged: GhlContact) -> GhlContact | None:
    """Read a contact by id that only a page showed so far. None: it is gone and was not linked.

    Raises:
        ReviewNeededError: It is gone and was linked.
    """
    if person.link is not None:
        return await _read_linked(context, person.link)
    try:
        return await context.ghl.get_contact(paged.id)
    except NotFoundError:
        await context.ledger.write(ghl_contacts.forget, context.connection, paged.id)
        return None


async def _read_linked(context: SyncContext, link: Link) -> GhlContact:
    try:
        return await context.ghl.get_contact(GhlContactId(link.remote_id))
    except NotFoundError as error:
        raise ReviewNeededError(
            f"GHL contact {link.remote_id} is gone: nothing was written", kind="gone"
        ) from error
