"""Queries of the GHL sweeps: contacts to read next, records not found, linked appointments."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import EPOCH, UtcTime
from timerex_ghl.adapters.ledger.tables.activities.activities import activities
from timerex_ghl.adapters.ledger.tables.bookings import bookings
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import contact_snapshots
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import contacts
from timerex_ghl.adapters.ledger.tables.sync.links import Link, link_of, links
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKind
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import Booking, ConnectionName, ContactId, GhlContactId


class Linked(NamedTuple):
    """A linked contact."""

    contact_id: ContactId
    ghl_id: GhlContactId


def unseen(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    before: datetime,
    *,
    of: ContactId | None = None,
) -> list[ActivityId]:
    """List linked notes or tasks that a sweep last found in GHL before a time.

    Args:
        tx: Open transaction.
        connection: The connection's name.
        kind: Notes or tasks.
        before: When the sweep began.
        of: Only those of this contact.
    """
    conditions = [
        links.c.connection == connection,
        links.c.kind == kind,
        or_(links.c.checked_at.is_(None), links.c.checked_at < before),
        or_(links.c.written_at.is_(None), links.c.written_at < before),
        ~activities.c.deleted,
    ]
    if of is not None:
        conditions.append(activities.c.contact_id == of)
    rows = tx.scalars(
        select(links.c.local_id)
        .join(activities, _row_of_link())
        .join(contacts, _person_of_row())
        .where(*conditions, ~contacts.c.deleted)
        .order_by(links.c.local_id)
    )
    return [ActivityId(row) for row in rows]


def next_people(
    tx: Connection, connection: ConnectionName, limit: int, *, since: datetime | None = None
) -> list[Linked]:
    """List the contacts whose notes to read next: changed in GHL since then, then the oldest.

    Args:
        tx: Open transaction.
        connection: The connection's name.
        limit: Largest number of contacts.
        since: Only contacts that changed in GHL since then.
    """
    checked_at = func.coalesce(links.c.checked_at, literal(EPOCH, UtcTime))
    changed = and_(
        contact_snapshots.c.updated_at.is_not(None), contact_snapshots.c.updated_at > checked_at
    )
    statement = (
        select(links.c.local_id, links.c.remote_id)
        .join(contacts, _person_of_link())
        .outerjoin(
            contact_snapshots,
            and_(
                contact_snapshots.c.connection == links.c.connection,
                contact_snapshots.c.id == links.c.remote_id,
            ),
        )
        .where(links.c.connection == connection, links.c.kind == "contact", ~contacts.c.deleted)
        .order_by(changed.desc(), checked_at, links.c.local_id)
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(contact_snapshots.c.updated_at >= since)
    return [
        Linked(ContactId(row.local_id), GhlContactId(row.remote_id))
        for row in tx.execute(statement)
    ]


class Staleness(NamedTuple):
    """How old the last reads of contacts' notes are.

    Attributes:
        people: Number of linked contacts.
        oldest: The oldest time at which a contact's notes were read; None: some were never read.
    """

    people: int
    oldest: datetime | None


def staleness(tx: Connection, connection: ConnectionName) -> Staleness:
    """Return how old the last reads of contacts' notes are."""
    row = tx.execute(
        select(
            func.count(),
            func.min(links.c.checked_at),
            func.count(links.c.checked_at),
        )
        .join(contacts, _person_of_link())
        .where(links.c.connection == connection, links.c.kind == "contact", ~contacts.c.deleted)
    ).one()
    return Staleness(row[0], row[1] if row[2] == row[0] else None)


class Standing(NamedTuple):
    """The link of a booking's appointment, and when the booking ends."""

    link: Link
    ends_at: datetime


def standing_appointments(
    tx: Connection, connection: ConnectionName, since: datetime
) -> list[Standing]:
    """List the appointments of bookings that start at or after a time."""
    rows = tx.execute(
        select(links, bookings.c.body)
        .join(bookings, _booking_of_link())
        .where(
            links.c.connection == connection,
            links.c.kind == "appointment",
            bookings.c.starts_at >= since,
        )
        .order_by(bookings.c.starts_at, bookings.c.id)
    )
    return [
        Standing(link_of(row), Booking.model_validate(row["body"]).ends_at)
        for row in rows.mappings()
    ]


def note_shown(
    tx: Connection, connection: ConnectionName, shown: Mapping[GhlAppointmentId, str]
) -> None:
    """Record what GHL's list shows of appointments, as not yet read."""
    tx.execute(
        update(links)
        .where(
            links.c.connection == connection,
            links.c.kind == "appointment",
            links.c.remote_id == bindparam("of_id"),
        )
        .values(digest=bindparam("shows"), checked_at=None),
        [{"of_id": remote_id, "shows": shows} for remote_id, shows in shown.items()],
    )


def _booking_of_link() -> ColumnElement[bool]:
    return and_(bookings.c.connection == links.c.connection, bookings.c.id == links.c.local_id)


def _row_of_link() -> ColumnElement[bool]:
    return and_(
        activities.c.connection == links.c.connection,
        activities.c.kind == links.c.kind,
        activities.c.id == links.c.local_id,
    )


def _person_of_row() -> ColumnElement[bool]:
    return and_(
        contacts.c.connection == activities.c.connection,
        contacts.c.id == activities.c.contact_id,
    )


def _person_of_link() -> ColumnElement[bool]:
    return and_(contacts.c.connection == links.c.connection, contacts.c.id == links.c.local_id)
