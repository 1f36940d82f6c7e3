"""Snapshots of GHL's contacts as last read, for comparison and lookup in bulk runs."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    RowMapping,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    or_,
    select,
    true,
    union,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.adapters.ledger.tables.contacts.contact_json import json_of, value_of
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contact_keys import (
    forget_keys,
    ids_by_key,
    ids_with_more,
    replace_keys,
)
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import contacts
from timerex_ghl.adapters.ledger.tables.operations.review_lookups import is_set_aside
from timerex_ghl.adapters.ledger.tables.sync.links import links
from timerex_ghl.domain.contacts.change_times import GhlReading, note_changes
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    GhlContact,
    GhlContactId,
    GhlField,
    LocationId,
)
from timerex_ghl.domain.shared.newest import ChangeTime

contact_snapshots = Table(
    "ghl_contacts",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("location_id", Text, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("email_key", Text),
    Column("phone_key", Text),
    Column("digest", Text, nullable=False),
    Column("updated_at", UtcTime),
    Column("read_at", UtcTime, nullable=False),
    Column("changed", JsonText),
    Index(None, "connection", "email_key"),
    Index(None, "connection", "phone_key"),
)


_READINGS = select(contact_snapshots).where(
    contact_snapshots.c.connection == bindparam("of"),
    contact_snapshots.c.id.in_(bindparam("ids", expanding=True)),
)

_MINE = select(contact_snapshots.c.id).where(contact_snapshots.c.connection == bindparam("of"))
_FOUND = union(  # one index each
    _MINE.where(contact_snapshots.c.email_key.in_(bindparam("emails", expanding=True))),
    _MINE.where(contact_snapshots.c.phone_key.in_(bindparam("phones", expanding=True))),
    ids_by_key("email", "emails"),
    ids_by_key("phone", "phones"),
)
_BY_KEYS = (
    select(contact_snapshots)
    .where(contact_snapshots.c.connection == bindparam("of"), contact_snapshots.c.id.in_(_FOUND))
    .order_by(contact_snapshots.c.id)
)


class StoredSnapshot(NamedTuple):
    """A stored contact with its match keys and the time it was read."""

    contact: GhlContact
    read_at: datetime
    keys: Keys


class Snapshot(NamedTuple):
    """A contact to store, with its match keys and the digest of its mapped content."""

    contact: GhlContact
    keys: Keys
    digest: str


def digest_of(contact: Contact) -> str:
    """Digest a contact's mapped fields and tags; other fields do not count."""
    text = json.dumps(json_of(contact), ensure_ascii=False, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def save_snapshots(
    tx: Connection, connection: ConnectionName, snapshots: Sequence[Snapshot], read_at: datetime
) -> None:
    """Store contacts as just read. A state older than the stored one (search lags) is dropped."""
    before = get_readings(tx, connection, [one.contact.id for one in snapshots])
    rows = [
        {
            "connection": connection,
            "id": contact.id,
            "location_id": contact.location_id,
            "body": {
                "values": contact.values,
                "tags": None if contact.tags is None else sorted(contact.tags),
                "emails": sorted(keys.more_emails),
                "phones": sorted(keys.more_phones),
            },
            "email_key": keys.email,
            "phone_key": keys.phone,
            "digest": digest,
            "updated_at": contact.updated_at,
            "read_at": read_at,
            "changed": _json_of(note_changes(before.get(contact.id), contact.values, read_at)),
        }
        for contact, keys, digest in snapshots
    ]
    upsert(tx, contact_snapshots, rows, keys=["connection", "id"], unless=_is_older)
    more = {one.contact.id for one in snapshots if one.keys.more_emails or one.keys.more_phones}
    more |= ids_with_more(tx, connection, [one.contact.id for one in snapshots])
    if more:
        stored = get_snapshots(tx, connection, more)
        replace_keys(tx, connection, {ghl_id: one.keys for ghl_id, one in stored.items()})


def _is_older(new: Any) -> ColumnElement[bool]:
    return and_(
        new.updated_at.is_not(None),
        contact_snapshots.c.updated_at.is_not(None),
        new.updated_at < contact_snapshots.c.updated_at,
    )


def get_snapshots(
    tx: Connection, connection: ConnectionName, ghl_ids: Collection[GhlContactId]
) -> dict[GhlContactId, StoredSnapshot]:
    """Read some contacts as last read."""
    statement = select(contact_snapshots).where(
        contact_snapshots.c.connection == connection, contact_snapshots.c.id.in_(ghl_ids)
    )
    rows = tx.execute(statement).mappings()
    return {row["id"]: _snapshot_of(row) for row in rows}


def get_readings(
    tx: Connection, connection: ConnectionName, ghl_ids: Collection[GhlContactId]
) -> dict[GhlContactId, GhlReading]:
    """Read the values of some contacts as last read, and when those were changed."""
    if not ghl_ids:
        return {}
    rows = tx.execute(_READINGS, {"of": connection, "ids": [*ghl_ids]}).mappings()
    return {
        row["id"]: GhlReading(_contact_of(row).values, row["read_at"], _changed_of(row["changed"]))
        for row in rows
    }


def find_by_keys(
    tx: Connection, connection: ConnectionName, several: Collection[Keys]
) -> list[StoredSnapshot]:
    """Find every contact with one of these e-mails or phones, ordered by id."""
    emails = {email for keys in several for email in keys.emails}
    phones = {phone for keys in several for phone in keys.phones}
    rows = tx.execute(_BY_KEYS, {"of": connection, "emails": [*emails], "phones": [*phones]})
    return [_snapshot_of(row) for row in rows.mappings()]


def forget_unseen(tx: Connection, connection: ConnectionName, since: datetime) -> None:
    """Drop contacts that were not read since a full scan began: GHL no longer has them.

    One that is linked to a living contact stays: a review reports that it is gone.
    """
    linked = and_(contacts.c.connection == links.c.connection, contacts.c.id == links.c.local_id)
    remote = (
        select(links.c.remote_id)
        .outerjoin(contacts, linked)
        .where(links.c.connection == connection, links.c.kind == "contact")
        .where(contacts.c.deleted.is_not(true()))
    )
    tx.execute(
        delete(contact_snapshots).where(
            contact_snapshots.c.connection == connection,
            contact_snapshots.c.read_at < since,
            contact_snapshots.c.id.not_in(remote),
        )
    )
    kept = select(contact_snapshots.c.id).where(contact_snapshots.c.connection == connection)
    forget_keys(tx, connection, but=kept)


def forget(tx: Connection, connection: ConnectionName, ghl_id: GhlContactId) -> None:
    """Drop one contact that GHL no longer has."""
    tx.execute(
        delete(contact_snapshots).where(
            contact_snapshots.c.connection == connection, contact_snapshots.c.id == ghl_id
        )
    )
    replace_keys(tx, connection, {ghl_id: Keys(None, None)})


def changed_snapshots(tx: Connection, connection: ConnectionName) -> list[GhlContactId]:
    """List contacts that are not linked, or changed in GHL since they were in sync.

    Those with a review for their current content are left out.
    """
    linked = and_(
        links.c.connection == contact_snapshots.c.connection,
        links.c.kind == "contact",
        links.c.remote_id == contact_snapshots.c.id,
    )
    statement = (
        select(contact_snapshots.c.id)
        .outerjoin(links, linked)
        .where(contact_snapshots.c.connection == connection)
        .where(
            or_(links.c.digest.is_(None), links.c.digest != contact_snapshots.c.digest),
            ~is_set_aside(
                "ghl",
                contact_snapshots.c.connection,
                contact_snapshots.c.id,
                contact_snapshots.c.digest,
            ),
        )
        .order_by(contact_snapshots.c.updated_at, contact_snapshots.c.id)
    )
    return [GhlContactId(ghl_id) for ghl_id in tx.scalars(statement)]


def digest_now(tx: Connection, connection: ConnectionName, ghl_id: GhlContactId) -> str | None:
    """Return the digest of a contact as last read."""
    return tx.scalar(
        select(contact_snapshots.c.digest).where(
            contact_snapshots.c.connection == connection, contact_snapshots.c.id == ghl_id
        )
    )


def _json_of(changed: Mapping[GhlField, ChangeTime]) -> dict[str, list[str | None]]:
    return {
        field: [None if at is None else at.isoformat(timespec="milliseconds") for at in time]
        for field, time in changed.items()
    }


def _changed_of(stored: dict[str, list[str | None]] | None) -> dict[GhlField, ChangeTime]:
    return {
        GhlField(field): ChangeTime(
            *(None if at is None else datetime.fromisoformat(at) for at in times)
        )
        for field, times in (stored or {}).items()
    }


def _snapshot_of(row: RowMapping) -> StoredSnapshot:
    body = row["body"]
    more_emails = frozenset(body.get("emails", ()))  # absent in what older versions stored
    more_phones = frozenset(body.get("phones", ()))
    keys = Keys(row["email_key"], row["phone_key"], more_emails, more_phones)
    return StoredSnapshot(_contact_of(row), row["read_at"], keys)


def _contact_of(row: RowMapping) -> GhlContact:
    body = row["body"]
    return GhlContact(
        id=GhlContactId(row["id"]),
        location_id=LocationId(row["location_id"]),
        values={GhlField(name): value_of(value) for name, value in body["values"].items()},
        tags=None if body["tags"] is None else frozenset(body["tags"]),
        additional_emails=tuple(body.get("emails", ())),
        additional_phones=tuple(body.get("phones", ())),
        updated_at=row["updated_at"],
    )
