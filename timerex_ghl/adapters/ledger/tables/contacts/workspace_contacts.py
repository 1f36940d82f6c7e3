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
from timerex_ghl.adapters.ledger.tables.contacts.contact_json import (
    contact_of,
    json_of,
    texts_of,
    times_of,
)
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.errors import RetryableError, SkippableError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    FieldName,
    WorkspaceContact,
)

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
    Column("changed_at", JsonText),
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
    changed_at = {field: now for field, value in contact.values.items() if value}
    return WorkspaceContact(id=contact_id, version=1, contact=known, changed_at=changed_at)


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
            "changed_at": texts_of(row.changed_at),
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
    return _change(tx, connection, row, change, keys, now)


def change_tombstone(
    tx: Connection,
    connection: ConnectionName,
    row: WorkspaceContact,
    change: WorkspaceChange,
    now: datetime,
) -> WorkspaceContact:
    """Change the tags of a deleted contact. It stays deleted and without match keys."""
    return _change(tx, connection, row, change, Keys(None, None), now)


def _change(
    tx: Connection,
    connection: ConnectionName,
    row: WorkspaceContact,
    change: WorkspaceChange,
    keys: Keys,
    now: datetime,
) -> WorkspaceContact:
    changed = apply_change(row.contact, change)
    changed_at = {**row.changed_at, **dict.fromkeys(_edited(row.contact, change), now)}
    _update(
        tx,
        connection,
        row.id,
        version=row.version + 1,
        contact=json_of(changed),
        email_key=keys.email,
        phone_key=keys.phone,
        updated_at=now,
        changed_at=texts_of(changed_at),
    )
    result = changed.model_copy(update={"updated_at": now})
    version = row.version + 1
    return row.model_copy(update={"version": version, "contact": result, "changed_at": changed_at})


def _edited(contact: Contact, change: WorkspaceChange) -> list[FieldName]:
    return [field for field, value in change.values.items() if value != contact.values.get(field)]


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
        id=ContactId(row["id"]),
        version=row["version"],
        contact=contact,
        deleted=row["deleted"],
        changed_at=times_of(row["changed_at"]),
    )
