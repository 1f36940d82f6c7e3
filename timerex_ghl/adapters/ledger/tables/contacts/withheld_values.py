"""Values that stay in the workspace because GHL does not accept them: shown, never silent."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    or_,
    select,
)

from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contact_keys import additional_keys
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import contact_snapshots
from timerex_ghl.domain.shared.actions import WithheldValue
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName, GhlContactId

_withheld = Table(
    "withheld_values",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("ghl_id", Text, nullable=False),
)

_MINE = (
    _withheld.c.connection == bindparam("of"),
    _withheld.c.contact_id.in_(bindparam("ids", expanding=True)),
)
_THESE = select(_withheld).where(*_MINE)
_FORGET = delete(_withheld).where(*_MINE)


class WithheldField(NamedTuple):
    """A field of a workspace contact that GHL's contact lacks.

    Attributes:
        ghl_id: The GHL contact that has the value.
    """

    contact_id: ContactId
    field: FieldName
    ghl_id: GhlContactId


def replace_withheld(
    tx: Connection,
    connection: ConnectionName,
    several: Mapping[ContactId, Collection[WithheldValue]],
) -> None:
    """Store the withheld values of contacts in place of those they had."""
    if withheld_of(tx, connection, [*several]):
        tx.execute(_FORGET, {"of": connection, "ids": [*several]})
    rows = [
        {
            "connection": connection,
            "contact_id": contact_id,
            "field": value.field,
            "key": value.key,
            "ghl_id": value.ghl_id,
        }
        for contact_id, values in several.items()
        for value in values
    ]
    upsert(tx, _withheld, rows, keys=["connection", "contact_id", "field"])


def withheld_of(
    tx: Connection, connection: ConnectionName, contact_ids: Collection[ContactId]
) -> list[WithheldField]:
    """Return those of some contacts."""
    rows = tx.execute(_THESE, {"of": connection, "ids": [*contact_ids]})
    return [_field_of(row) for row in rows]


def list_outdated(tx: Connection, connection: ConnectionName) -> list[ContactId]:
    """List the contacts whose value no other GHL contact has any more."""
    columns, snapshots, more = _withheld.c, contact_snapshots.c, additional_keys.c
    still = exists().where(
        snapshots.connection == columns.connection,
        snapshots.id == columns.ghl_id,
        or_(
            snapshots.phone_key == columns.key,
            exists()
            .where(
                more.connection == columns.connection,
                more.ghl_id == columns.ghl_id,
                more.key == columns.key,
            )
            .correlate(_withheld),
        ),
    )
    return [
        ContactId(contact_id)
        for contact_id in tx.scalars(
            select(columns.contact_id).where(columns.connection == connection, ~still).distinct()
        )
    ]


def _field_of(row: Row[Any]) -> WithheldField:
    return WithheldField(row.contact_id, row.field, row.ghl_id)
