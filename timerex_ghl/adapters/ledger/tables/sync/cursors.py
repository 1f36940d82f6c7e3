"""Cursors: the position of a poll or bulk run."""

from sqlalchemy import Column, Connection, Table, Text, insert, select, update

from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.domain.shared.models import ConnectionName

_cursors = Table(
    "cursors",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def get_cursor(tx: Connection, connection: ConnectionName, name: str) -> str | None:
    """Read a cursor; None before the first save."""
    return tx.scalar(
        select(_cursors.c.value).where(_cursors.c.connection == connection, _cursors.c.name == name)
    )


def save_cursor(tx: Connection, connection: ConnectionName, name: str, value: str) -> None:
    """Store the position of a cursor."""
    moved = tx.execute(
        update(_cursors)
        .where(_cursors.c.connection == connection, _cursors.c.name == name)
        .values(value=value)
    )
    if moved.rowcount == 0:
        tx.execute(insert(_cursors).values(connection=connection, name=name, value=value))
