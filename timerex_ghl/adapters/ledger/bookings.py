"""The workspace's bookings, and the chains that reschedules make of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    and_,
    bindparam,
    case,
    false,
    or_,
    select,
    update,
)

from timerex_ghl.adapters.ledger.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.upsert import upsert
from timerex_ghl.domain.models import (
    Booking,
    BookingId,
    BookingState,
    ConnectionName,
    ContactId,
    Record,
)

Origin = Literal["timerex", "workspace"]

bookings = Table(
    "bookings",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("old_id", Text),
    Column("new_id", Text),
    Column("state", Text, nullable=False),
    Column("contact_id", Text),
    Column("starts_at", UtcTime, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("origin", Text, nullable=False, server_default="timerex"),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Index(None, "connection", "old_id"),
    Index(None, "connection", "new_id"),
    Index(None, "connection", "contact_id"),
    Index("ix_bookings_connection_starts_at", "connection", "starts_at", "id"),
)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_HERE = select(bookings).where(bookings.c.connection == bindparam("of"))
_BY_IDS = _HERE.where(bookings.c.id.in_(_IDS))
_WITH_NEIGHBOURS = _HERE.where(
    or_(bookings.c.id.in_(_IDS), bookings.c.old_id.in_(_IDS), bookings.c.new_id.in_(_IDS))
)
_OF_CONTACT = _HERE.where(bookings.c.contact_id == bindparam("contact")).order_by(
    bookings.c.starts_at, bookings.c.id
)


class BookingRow(Record):
    """A booking of the workspace.

    Attributes:
        contact_id: Its guest; None where nobody was recognised yet.
        verified: TimeRex confirmed over its API what the webhook said; one made here needs no such
            word.
        origin: Who made it, for good. One that TimeRex made is changed in TimeRex only.
        version: Rises by one with each change of what the booking says; that a guest was
            recognised is none.
        deleted: It was made here and deleted here. It reads as cancelled, for whoever carries it.
    """

    booking: Booking
    contact_id: ContactId | None
    verified: bool
    origin: Origin = "timerex"
    version: int = 1
    deleted: bool = False


class BookingPosition(NamedTuple):
    """Where a page of bookings ended."""

    starts_at: datetime
    id: BookingId


class BookingFilter(NamedTuple):
    """Which bookings to list; None: all of them."""

    starts_from: datetime | None = None
    starts_before: datetime | None = None
    contact_id: ContactId | None = None
    state: BookingState | None = None


def save_booking(
    tx: Connection, connection: ConnectionName, row: BookingRow, now: datetime
) -> None:
    """Write a booking, new or changed. Who made it, and whether it is deleted, stays as it is."""
    booking = row.booking
    values = {
        "connection": connection,
        "id": booking.id,
        "old_id": booking.old_id,
        "new_id": booking.new_id,
        "state": booking.state,
        "contact_id": row.contact_id,
        "starts_at": booking.starts_at,
        "verified": row.verified,
        "body": booking.model_dump(mode="json"),
        "updated_at": now,
        "version": row.version,
        "origin": row.origin,
        "deleted": row.deleted,
    }
    upsert(tx, bookings, [values], keys=["connection", "id"], instead=_kept)


def delete_booking(
    tx: Connection, connection: ConnectionName, booking_id: BookingId, now: datetime
) -> None:
    """Leave a tombstone. What it says (cancelled) is still there for whoever carries it."""
    tx.execute(
        update(bookings)
        .where(bookings.c.connection == connection, bookings.c.id == booking_id)
        .values(deleted=True, updated_at=now)
    )


def get_booking(
    tx: Connection, connection: ConnectionName, booking_id: BookingId
) -> BookingRow | None:
    """Read one booking."""
    rows = _read(tx, connection, [booking_id])
    return rows[0] if rows else None


def get_bookings(
    tx: Connection, connection: ConnectionName, ids: Iterable[BookingId]
) -> dict[BookingId, BookingRow]:
    """Read some bookings."""
    return {row.booking.id: row for row in _read(tx, connection, ids)}


def bookings_to_see(
    tx: Connection, connection: ConnectionName, begins_at: datetime, ends_at: datetime
) -> list[BookingId]:
    """List what TimeRex should know of a time: bookings that stand, and any not verified yet."""
    ids = tx.scalars(
        select(bookings.c.id)
        .where(
            bookings.c.connection == connection,
            bookings.c.origin == "timerex",
            bookings.c.starts_at.between(begins_at, ends_at),
            or_(bookings.c.state == BookingState.CONFIRMED, ~bookings.c.verified),
        )
        .order_by(bookings.c.starts_at, bookings.c.id)
    )
    return [BookingId(booking_id) for booking_id in ids]


def get_chain(tx: Connection, connection: ConnectionName, booking: Booking) -> list[BookingRow]:
    """Read every stored booking that reschedules connect with this one, itself included.

    Either half of a reschedule may be the one that knows the other.
    """
    chain: dict[BookingId, BookingRow] = {}
    asked: set[BookingId] = set()
    wanted = {booking.id, booking.old_id, booking.new_id} - {None}
    while wanted - asked:
        ids = [booking_id for booking_id in wanted - asked if booking_id is not None]
        asked.update(ids)
        for row in _read(tx, connection, ids, or_neighbours=True):
            chain[row.booking.id] = row
            wanted |= {row.booking.id, row.booking.old_id, row.booking.new_id} - {None}
    return sorted(chain.values(), key=lambda row: (row.booking.starts_at, row.booking.id))


def bookings_of(
    tx: Connection, connection: ConnectionName, contact_id: ContactId
) -> list[BookingRow]:
    """Read a person's bookings."""
    rows = tx.execute(_OF_CONTACT, {"of": connection, "contact": contact_id})
    return [_row_of(row) for row in rows.mappings()]


def move_bookings(
    tx: Connection, connection: ConnectionName, old: ContactId, new: ContactId
) -> None:
    """Give the bookings of one person to another."""
    tx.execute(
        update(bookings)
        .where(bookings.c.connection == connection, bookings.c.contact_id == old)
        .values(contact_id=new)
    )


def list_bookings(
    tx: Connection,
    connection: ConnectionName,
    wanted: BookingFilter,
    after: BookingPosition | None = None,
    limit: int = 500,
) -> list[BookingRow]:
    """List bookings by time, one page at a time, without those deleted."""
    columns = bookings.c
    conditions = [columns.connection == connection, ~columns.deleted]
    if after is not None:
        later_id = and_(columns.starts_at == after.starts_at, columns.id > after.id)
        conditions.append(or_(columns.starts_at > after.starts_at, later_id))
    if wanted.starts_from is not None:
        conditions.append(columns.starts_at >= wanted.starts_from)
    if wanted.starts_before is not None:
        conditions.append(columns.starts_at < wanted.starts_before)
    if wanted.contact_id is not None:
        conditions.append(columns.contact_id == wanted.contact_id)
    if wanted.state is not None:
        conditions.append(columns.state == wanted.state)
    statement = select(bookings).where(*conditions)
    ordered = statement.order_by(columns.starts_at, columns.id).limit(limit)
    return [_row_of(row) for row in tx.execute(ordered).mappings()]


def _kept(new: Any) -> Mapping[str, Any]:
    """Say what a stored booking keeps when it is written again."""
    columns = bookings.c
    changed = columns.body != new.body
    return {
        "origin": columns.origin,
        "deleted": columns.deleted,
        "version": case((changed, columns.version + 1), else_=columns.version),
    }


def _read(
    tx: Connection,
    connection: ConnectionName,
    ids: Iterable[BookingId],
    *,
    or_neighbours: bool = False,
) -> list[BookingRow]:
    statement = _WITH_NEIGHBOURS if or_neighbours else _BY_IDS
    rows = tx.execute(statement, {"of": connection, "ids": [*ids]})
    return [_row_of(row) for row in rows.mappings()]


def _row_of(row: RowMapping) -> BookingRow:
    return BookingRow(
        booking=Booking.model_validate(row["body"]),
        contact_id=row["contact_id"],
        verified=row["verified"],
        origin=row["origin"],
        version=row["version"],
        deleted=row["deleted"],
    )
