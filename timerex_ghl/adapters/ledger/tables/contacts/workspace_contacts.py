"""The workspace's contacts. TimeRex itself has none."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.tables.contacts.contact_json import contact_of, json_of
from timerex_ghl.adapters.ledger.tables.operations.reviews import is_set_aside
from timerex_ghl.adapters.ledger.tables.sync.links import links
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.errors import RetryableError, SkippableError
from timerex_ghl.domain.shared.models import ConnectionName, Contact, ContactId, WorkspaceContact

contacts = Table(
    "contacts",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("contact", JsonText, nullable=False),
    Column("email_key", Text),
    Column("phone_key", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index(None, "connection", "email_key"),
    Index(None, "connection", "phone_key"),
)


_ADD = insert(contacts)
_HERE = select(contacts).where(contacts.c.connection == bindparam("of"))
_BY_IDS = _HERE.where(contacts.c.id.in_(bindparam("ids", expanding=True)))
_BY_KEYS = _HERE.where(
    ~contacts.c.deleted,
    or_(
        contacts.c.email_key.in_(bindparam("emails", expanding=True)),
        contacts.c.phone_key.in_(bindparam("phones", expanding=True)),
    ),
).order_by(contacts.c.id)


CONTACT_ID = "c_"
"""The beginning of every contact's id."""


class StaleVersionError(RetryableError):
    """The row changed since it was read."""


class Keyed(NamedTuple):
    """A contact and its match keys."""

    row: WorkspaceContact
    keys: Keys


def new_row(contact: Contact, now: datetime) -> WorkspaceContact:
    """Make a contact with a new id, at version 1."""
    contact_id = ContactId(f"{CONTACT_ID}{secrets.token_hex(10)}")
    known = contact.model_copy(update={"updated_at": now})
    return WorkspaceContact(id=contact_id, version=1, contact=known)


def add_contact(
    tx: Connection, connection: ConnectionName, contact: Contact, keys: Keys, now: datetime
) -> WorkspaceContact:
    """Add a contact."""
    row = new_row(contact, now)
    add_rows(tx, connection, [Keyed(row, keys)], now)
    return row


def add_rows(
    tx: Connection, connection: ConnectionName, people: Sequence[Keyed], now: datetime
) -> None:
    """Add contacts made by `new_row`."""
    if not people:
        return
    rows = [
        {
            "connection": connection,
            "id": row.id,
            "version": row.version,
            "contact": json_of(row.contact),
            "email_key": keys.email,
            "phone_key": keys.phone,
            "created_at": now,
            "updated_at": now,
            "deleted": False,
        }
        for row, keys in people
    ]
    tx.execute(_ADD, rows)


def change_contact(
    tx: Connection,
    connection: ConnectionName,
    contact_id: ContactId,
    change: WorkspaceChange,
    keys: Keys,
    now: datetime,
    *,
    expected_version: int | None = None,
) -> WorkspaceContact:
    """Change the given fields and tags of a contact.

    Raises:
        StaleVersionError: The row is no longer at the expected version.
        SkippableError: There is no such contact.
    """
    row = get_contact(tx, connection, contact_id)
    if row is None or row.deleted:
        raise SkippableError(f"contact {contact_id} is not in the workspace")
    if expected_version is not None and row.version != expected_version:
        raise StaleVersionError(f"contact {contact_id} changed since it was read")
    changed = apply_change(row.contact, change)
    _update(
        tx,
        connection,
        contact_id,
        version=row.version + 1,
        contact=json_of(changed),
        email_key=keys.email,
        phone_key=keys.phone,
        updated_at=now,
    )
    return WorkspaceContact(
        id=contact_id,
        version=row.version + 1,
        contact=changed.model_copy(update={"updated_at": now}),
    )


def delete_contact(
    tx: Connection, connection: ConnectionName, contact_id: ContactId, now: datetime
) -> None:
    """Mark a contact as deleted. It has no match keys then, so it is never matched again."""
    row = get_contact(tx, connection, contact_id)
    if row is not None and not row.deleted:
        _update(
            tx,
            connection,
            contact_id,
            version=row.version + 1,
            email_key=None,
            phone_key=None,
            updated_at=now,
            deleted=True,
        )


def get_contact(
    tx: Connection, connection: ConnectionName, contact_id: ContactId
) -> WorkspaceContact | None:
    """Read a contact, or its tombstone."""
    found = get_contacts(tx, connection, [contact_id]).get(contact_id)
    return None if found is None else found.row


def get_contacts(
    tx: Connection, connection: ConnectionName, contact_ids: Collection[ContactId]
) -> dict[ContactId, Keyed]:
    """Read some contacts, or their tombstones."""
    rows = tx.execute(_BY_IDS, {"of": connection, "ids": [*contact_ids]})
    return {row["id"]: _keyed_of(row) for row in rows.mappings()}


def find_contacts(
    tx: Connection, connection: ConnectionName, keys: Keys
) -> tuple[list[WorkspaceContact], list[WorkspaceContact]]:
    """Find contacts by e-mail and by phone, as two separate lists."""
    found = find_by_keys(tx, connection, [keys])
    return (
        [row for row, its_keys in found if its_keys.email in keys.emails],
        [row for row, its_keys in found if its_keys.phone in keys.phones],
    )


def find_by_keys(
    tx: Connection, connection: ConnectionName, several: Collection[Keys]
) -> list[Keyed]:
    """Find every contact with one of these e-mails or phones, ordered by id."""
    emails = {email for keys in several for email in keys.emails}
    phones = {phone for keys in several for phone in keys.phones}
    rows = tx.execute(_BY_KEYS, {"of": connection, "emails": [*emails], "phones": [*phones]})
    return [_keyed_of(row) for row in rows.mappings()]


def list_contacts(
    tx: Connection, connection: ConnectionName, after: ContactId | None = None, limit: int = 500
) -> list[WorkspaceContact]:
    """List a page of contacts by id, without deleted ones."""
    statement = (
        select(contacts)
        .where(contacts.c.connection == connection, ~contacts.c.deleted)
        .where(contacts.c.id > (after or ""))
        .order_by(contacts.c.id)
        .limit(limit)
    )
    return [row_of(row) for row in tx.execute(statement).mappings()]


def changed_contacts(tx: Connection, connection: ConnectionName) -> list[ContactId]:
    """List contacts that are not linked, or changed in the workspace since they were in sync.

    Left out: deleted ones, and those with a review for their current version.
    """
    linked = and_(
        links.c.connection == contacts.c.connection,
        links.c.kind == "contact",
        links.c.local_id == contacts.c.id,
    )
    statement = (
        select(contacts.c.id)
        .outerjoin(links, linked)
        .where(contacts.c.connection == connection, ~contacts.c.deleted)
        .where(
            or_(links.c.local_version.is_(None), links.c.local_version != contacts.c.version),
            ~is_set_aside("contact", contacts.c.connection, contacts.c.id, contacts.c.version),
        )
        .order_by(contacts.c.created_at, contacts.c.id)
    )
    return [ContactId(contact_id) for contact_id in tx.scalars(statement)]


def _is(connection: ConnectionName, contact_id: ContactId) -> ColumnElement[bool]:
    return and_(contacts.c.connection == connection, contacts.c.id == contact_id)


def _update(
    tx: Connection, connection: ConnectionName, contact_id: ContactId, **values: object
) -> None:
    tx.execute(update(contacts).where(_is(connection, contact_id)).values(**values))


def _keyed_of(row: RowMapping) -> Keyed:
    return Keyed(row_of(row), Keys(row["email_key"], row["phone_key"]))


def row_of(row: RowMapping) -> WorkspaceContact:
    """Parse a row of the table."""
    contact = contact_of(row["contact"], updated_at=row["updated_at"])
    if contact is None:
        raise AssertionError("a row has a contact")
    return WorkspaceContact(
        id=ContactId(row["id"]), version=row["version"], contact=contact, deleted=row["deleted"]
    )
