"""Match a contact of the workspace with its contact in GHL."""

from collections.abc import Collection
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.contacts.people import (
    KeyedGhlContact,
    People,
    find_people,
)
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import CONTACT_ID
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.identity import (
    Candidate,
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    ghl_keys_of,
    is_same_person,
    match_person,
)
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import ContactGoneError, NotFoundError, ReviewNeededError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.domain.shared.normal import number_of
from timerex_ghl.engine.context import SyncContext

T = TypeVar("T")


class Candidates(NamedTuple):
    """Whom a contact that is not linked may be in GHL.

    Attributes:
        ghl: GHL's contacts with its e-mail or phone.
        others: Keys of the workspace's other contacts that GHL does not have.
    """

    ghl: list[Candidate[GhlContact]]
    others: list[Keys]


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
    context: SyncContext, person: Person, candidates: Candidates | None = None
) -> GhlContact | None:
    """Read the current GHL contact of a person: by link, else by e-mail, else by phone.

    Args:
        context: The connection's clients, ledger and settings.
        person: The workspace contact.
        candidates: The contacts with its keys among the pages that were read: a bulk run has them
            all, and never asks GHL once per record. None on the live path: a call to GHL per key.

    Raises:
        ReviewNeededError: The linked contact is gone, or several contacts match.
    """
    if person.link is not None:
        return await _read_linked(context, person.link)
    found = (
        choose(person.keys, candidates, person.row.id)
        if candidates is not None
        else await find_in_ghl(context, person.keys, person.row.id)
    )
    return None if found is None else await accept_match(context, person, found)


async def find_in_ghl(context: SyncContext, keys: Keys, person_id: ContactId) -> GhlContact | None:
    """Ask GHL for the one contact with these keys.

    Contacts that the person is kept apart from are skipped.

    Raises:
        ReviewNeededError: The keys lead to different contacts.
    """
    asked = await ask_ghl(context, keys)
    if asked is None:
        return None
    candidates = await context.ledger.read(
        _read_candidates, context.connection, keys, person_id, asked
    )
    found = choose(keys, candidates, person_id)
    return asked.contact if found is not None and found.id == asked.contact.id else None


async def ask_ghl(context: SyncContext, keys: Keys) -> KeyedGhlContact | None:
    """Ask GHL who has this e-mail (its search knows the additional ones) or else this phone.

    GHL keeps no extensions: a number with one is not asked for.

    Source: GET /contacts/search/duplicate, docs/vendors/ghl.md#contacts.
    """
    found = await context.ghl.find_duplicate(email=keys.email) if keys.email else None
    if found is None and keys.phone is not None and number_of(keys.phone) == keys.phone:
        found = await context.ghl.find_duplicate(phone=keys.phone)
    return None if found is None else with_keys(context, found)


def with_keys(context: SyncContext, ghl: GhlContact) -> KeyedGhlContact:
    """Return a GHL contact with its match keys."""
    mapped = map_from_ghl(ghl, context.settings.rules)
    return KeyedGhlContact(ghl, ghl_keys_of(ghl, mapped, context.settings.region))


def _read_candidates(
    tx: Connection,
    connection: ConnectionName,
    keys: Keys,
    person_id: ContactId,
    asked: KeyedGhlContact,
) -> Candidates:
    people = find_people(tx, connection, [keys], [asked])
    apart_from = kept_apart.apart_from(tx, connection, people.ghl_ids)
    return candidates_of(person_id, people, apart_from)


def candidates_of(
    person_id: ContactId, people: People, apart_from: Collection[ContactPair]
) -> Candidates:
    """Return whom a contact that is not linked may be in GHL.

    A GHL contact that is linked to another workspace contact is one of them: where it is the only
    one, a person must decide which of the two workspace contacts it is.
    """
    linked = [
        Candidate(ghl.id, ghl, keys)
        for _, (row, _, ghl), keys in people.known
        if ghl is not None and row.id != person_id
    ]
    return Candidates(
        [
            one
            for one in (*people.unlinked, *linked)
            if ContactPair(person_id, one.person.id) not in apart_from
        ],
        [
            one.keys
            for one in people.known
            if one.person.ghl is None and one.person.row.id != person_id
        ],
    )


def choose(keys: Keys, candidates: Candidates, person_id: ContactId) -> GhlContact | None:
    """Return the GHL contact that has these keys, if any.

    Raises:
        ReviewNeededError: There are several.
    """
    match match_person(keys, candidates.ghl, candidates.others):
        case Match(contact):
            return contact
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise ReviewNeededError(
                f"several GHL contacts could be this person: {', '.join(ids)}",
                kind="identity",
                people=[person_id],
                ghl_ids=ids,
            )


def the_one(found: Match[T] | NoMatch | SeveralMatches) -> T | None:
    """Return the contact that was found, if any.

    Raises:
        ReviewNeededError: There are several.
    """
    match found:
        case Match(person):
            return person
        case NoMatch():
            return None
        case SeveralMatches(ids):
            raise ReviewNeededError(
                f"several contacts could be this person: {', '.join(ids)}",
                kind="identity",
                people=[one for one in ids if one.startswith(CONTACT_ID)],
                ghl_ids=[one for one in ids if not one.startswith(CONTACT_ID)],
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
    if not is_same_person(person.keys, with_keys(context, ghl).keys):
        return "has the same phone and another e-mail"
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
        raise ContactGoneError(link.local_id, link.remote_id) from error
