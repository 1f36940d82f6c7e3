"""The workspace's bookings, and the chains that reschedules make of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

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
    or_,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingRow,
    BookingState,
    ConnectionName,
    ContactId,
)

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
    Column("version", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
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


class BookingPosition(NamedTuple):
    """Where a page of bookings ended."""

    starts_at: datetime
    id: BookingId


class BookingFilter(NamedTuple):
    """Filters of a list of bookings; None: no filter."""

    starts_from: datetime | None = None
    starts_before: datetime | None = None
    contact_id: ContactId | None = None
    state: BookingState | None = None


def save_booking(tx: Connection, connection: ConnectionName, row: BookingRow) -> None:
    """Insert or update a booking. An update keeps its origin and deleted flag."""
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
        "version": row.version,
        "origin": row.origin,
        "deleted": row.deleted,
    }
    upsert(tx, bookings, [values], keys=["connection", "id"], instead=_kept)


def delete_booking(tx: Connection, connection: ConnectionName, booking_id: BookingId) -> None:
    """Mark a booking as deleted. Its content (cancelled) stays for the handler."""
    tx.execute(
        update(bookings)
        .where(bookings.c.connection == connection, bookings.c.id == booking_id)
        .values(deleted=True)
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
    """List the bookings TimeRex should return for a period: confirmed or not yet verified."""
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
    """Read every stored booking connected to this one by reschedules, including itself.

    Either booking of a reschedule may be the one that refers to the other.
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
    """Read a contact's bookings."""
    rows = tx.execute(_OF_CONTACT, {"of": connection, "contact": contact_id})
    return [_row_of(row) for row in rows.mappings()]


def move_bookings(
    tx: Connection, connection: ConnectionName, old: ContactId, new: ContactId
) -> None:
    """Move the bookings of one contact to another."""
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
    """List a page of bookings by start time, without deleted ones."""
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
    """Return the columns of a stored booking that an update keeps or computes."""
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
