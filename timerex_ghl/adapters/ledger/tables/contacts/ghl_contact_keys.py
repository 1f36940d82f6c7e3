"""The additional e-mails and phones of GHL's contacts, by which they are found, too.

The primary ones are columns of the snapshot. Few contacts have others.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
)

from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId

additional_keys = Table(
    "ghl_contact_keys",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("ghl_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Index(None, "connection", "kind", "key"),
)


_THESE = and_(
    additional_keys.c.connection == bindparam("of"),
    additional_keys.c.ghl_id.in_(bindparam("ids", expanding=True)),
)
_MINE = select(additional_keys.c.ghl_id).where(_THESE)
_FORGET = delete(additional_keys).where(_THESE)


def ids_with_more(
    tx: Connection, connection: ConnectionName, ghl_ids: Collection[GhlContactId]
) -> set[GhlContactId]:
    """Return those of these contacts that have additional keys."""
    return {GhlContactId(ghl_id) for ghl_id in tx.scalars(_MINE, _of(connection, ghl_ids))}


def replace_keys(
    tx: Connection, connection: ConnectionName, several: Mapping[GhlContactId, Keys]
) -> None:
    """Store the additional keys of contacts in place of those they had."""
    tx.execute(_FORGET, _of(connection, several))
    rows = [
        {"connection": connection, "ghl_id": ghl_id, "kind": kind, "key": key}
        for ghl_id, keys in several.items()
        for kind, more in (("email", keys.more_emails), ("phone", keys.more_phones))
        for key in sorted(more)
    ]
    if rows:
        tx.execute(insert(additional_keys), rows)


def ids_by_key(kind: str, keys: str) -> Select[Any]:
    """Return the query for the contacts that have one of some additional keys.

    The keys are the values of the parameter named `keys`, the connection is that of `of`.
    """
    return select(additional_keys.c.ghl_id).where(
        additional_keys.c.connection == bindparam("of"),
        additional_keys.c.kind == kind,
        additional_keys.c.key.in_(bindparam(keys, expanding=True)),
    )


def forget_keys(tx: Connection, connection: ConnectionName, but: Select[Any]) -> None:
    """Drop the keys of contacts that are no longer stored."""
    tx.execute(
        delete(additional_keys).where(
            additional_keys.c.connection == connection, additional_keys.c.ghl_id.not_in(but)
        )
    )


def _of(connection: ConnectionName, ghl_ids: Collection[GhlContactId]) -> dict[str, Any]:
    return {"of": connection, "ids": [*ghl_ids]}
