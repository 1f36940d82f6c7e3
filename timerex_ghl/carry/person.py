"""Who is who across the sides: one person of the workspace, and their contact in GHL."""

from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import ghl_contacts, links, workspace
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.carry.sides import Sides
from timerex_ghl.sync.errors import NotFoundError, ReviewNeededError
from timerex_ghl.sync.identity import (
    Found,
    Keys,
    Nobody,
    Several,
    decide_person,
    is_same_person,
    keys_of,
)
from timerex_ghl.sync.mapping import map_from_ghl
from timerex_ghl.sync.models import (
    ConnectionName,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)


class LookUp(Enum):
    """Where a person not linked yet is looked for.

    SEARCH asks GHL, one call a key: the live path. INDEX looks into the pages that were read: a
    bulk run has them all, and never asks GHL once per record.
    """

    SEARCH = auto()
    INDEX = auto()


class Person(NamedTuple):
    """A person of the workspace, and the link to their GHL contact, if there is one."""

    row: WorkspaceContact
    link: Link | None


def read_person(tx: Connection, connection: ConnectionName, contact_id: ContactId) -> Person | None:
    """Read a person and their link at one moment."""
    row = workspace.get_contact(tx, connection, contact_id)
    if row is None:
        return None
    return Person(row, links.link_of_local(tx, connection, "contact", contact_id))


async def read_ghl(sides: Sides, person: Person, look_up: LookUp) -> GhlContact | None:
    """Read a person's GHL contact as it is now: by link, else by e-mail and by phone.

    Raises:
        ReviewNeededError: The linked contact is gone, or several could be this person.
    """
    if person.link is not None:
        return await _read_linked(sides, person.link)
    found = await find_in_ghl(sides, keys_of(person.row.contact, sides.settings.region), look_up)
    return None if found is None else await adopt(sides, person, found)


async def find_in_ghl(sides: Sides, keys: Keys, look_up: LookUp) -> GhlContact | None:
    """Find the one GHL contact with these keys, each looked up by itself.

    Raises:
        ReviewNeededError: They lead to different contacts.
    """
    if look_up is LookUp.INDEX:
        by_email, by_phone = await sides.ledger.read(
            ghl_contacts.find_snapshots, sides.connection, keys
        )
    else:
        email = await sides.ghl.find_duplicate(email=keys.email) if keys.email else None
        phone = await sides.ghl.find_duplicate(phone=keys.phone) if keys.phone else None
        by_email, by_phone = [email] if email else [], [phone] if phone else []
    match decide_person(None, by_email, by_phone, lambda contact: contact.id):
        case Found(contact):
            return contact
        case Nobody():
            return None
        case Several(ids):
            raise ReviewNeededError(
                f"several GHL contacts could be this person: {', '.join(ids)}", kind="identity"
            )


async def adopt(sides: Sides, person: Person, ghl: GhlContact) -> GhlContact:
    """Accept a contact that was found by a key as this person's, after a second look at both.

    Raises:
        ReviewNeededError: It contradicts what we know, or belongs to somebody else already.
    """
    owner = await sides.ledger.read(links.link_of_remote, sides.connection, "contact", ghl.id)
    if owner is not None and owner.local_id != person.row.id:
        raise ReviewNeededError(
            f"GHL contact {ghl.id} belongs to contact {owner.local_id} already", kind="identity"
        )
    theirs = map_from_ghl(ghl, sides.settings.rules)
    if not is_same_person(person.row.contact, theirs, sides.settings.region):
        raise ReviewNeededError(
            f"GHL contact {ghl.id} agrees in one of e-mail and phone and differs in the other",
            kind="identity",
        )
    return ghl


async def find_in_workspace(sides: Sides, keys: Keys) -> WorkspaceContact | None:
    """Find the one person of the workspace with these keys.

    Raises:
        ReviewNeededError: They lead to different people.
    """
    by_email, by_phone = await sides.ledger.read(workspace.find_contacts, sides.connection, keys)
    match decide_person(None, by_email, by_phone, lambda row: row.id):
        case Found(row):
            return row
        case Nobody():
            return None
        case Several(ids):
            raise ReviewNeededError(
                f"several contacts could be this person: {', '.join(ids)}", kind="identity"
            )


async def _read_linked(sides: Sides, link: Link) -> GhlContact:
    try:
        return await sides.ghl.get_contact(GhlContactId(link.remote_id))
    except NotFoundError as error:
        raise ReviewNeededError(
            f"GHL contact {link.remote_id} is gone: nothing was written", kind="gone"
        ) from error
