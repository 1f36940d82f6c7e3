"""Pairs that a person marked as two people: they are never matched again."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Column, Connection, Index, Table, Text, select

from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId

_apart = Table(
    "kept_apart",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("ghl_id", Text, primary_key=True),
    Index(None, "connection", "ghl_id"),
)


class ContactPair(NamedTuple):
    """A workspace contact and a GHL contact that are different people."""

    contact_id: ContactId
    ghl_id: GhlContactId


def keep_apart(tx: Connection, connection: ConnectionName, pairs: Collection[ContactPair]) -> None:
    """Store pairs that must not be matched."""
    rows = [
        {"connection": connection, "contact_id": pair.contact_id, "ghl_id": pair.ghl_id}
        for pair in pairs
    ]
    upsert(tx, _apart, rows, keys=["connection", "contact_id", "ghl_id"])


def apart_from(
    tx: Connection, connection: ConnectionName, ghl_ids: Collection[GhlContactId]
) -> set[ContactPair]:
    """Return the stored pairs of these GHL contacts."""
    if not ghl_ids:
        return set()
    rows = tx.execute(
        select(_apart.c.contact_id, _apart.c.ghl_id).where(
            _apart.c.connection == connection, _apart.c.ghl_id.in_(ghl_ids)
        )
    )
    return {ContactPair(ContactId(contact_id), GhlContactId(ghl_id)) for contact_id, ghl_id in rows}
