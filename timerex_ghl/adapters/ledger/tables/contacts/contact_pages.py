"""The workspace's contacts as API pages, with their time of creation."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import contacts, row_of
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, WorkspaceContact


class Dated(NamedTuple):
    """A contact, and when it was added to the workspace."""

    row: WorkspaceContact
    created_at: datetime


class WantedContacts(NamedTuple):
    """Filters of a list of contacts; None: no filter."""

    email: str | None = None
    phone: str | None = None
    updated_since: datetime | None = None


def page_of_contacts(
    tx: Connection,
    connection: ConnectionName,
    wanted: WantedContacts,
    after: ContactId | None = None,
    limit: int = 500,
) -> list[Dated]:
    """List a page of contacts by id, without deleted ones.

    `wanted` has the keys of an e-mail and a phone, as in `Keys`.
    """
    conditions = [contacts.c.connection == connection, ~contacts.c.deleted]
    if after is not None:
        conditions.append(contacts.c.id > after)
    if wanted.email is not None:
        conditions.append(contacts.c.email_key == wanted.email)
    if wanted.phone is not None:
        conditions.append(contacts.c.phone_key == wanted.phone)
    if wanted.updated_since is not None:
        conditions.append(contacts.c.updated_at >= wanted.updated_since)
    ordered = select(contacts).where(*conditions).order_by(contacts.c.id).limit(limit)
    return [Dated(row_of(row), row["created_at"]) for row in tx.execute(ordered).mappings()]


def get_dated(tx: Connection, connection: ConnectionName, contact_id: ContactId) -> Dated | None:
    """Read a contact that is not deleted, with its time of creation."""
    statement = select(contacts).where(
        contacts.c.connection == connection, contacts.c.id == contact_id, ~contacts.c.deleted
    )
    row = tx.execute(statement).mappings().one_or_none()
    return None if row is None else Dated(row_of(row), row["created_at"])
