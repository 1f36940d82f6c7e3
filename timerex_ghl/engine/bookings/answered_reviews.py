"""Which reviews a booking's event answers when it is applied."""

from collections.abc import Mapping

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.adapters.ledger.tables.inbox.inbox_lookups import SetAside
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.bookings.booking_merge import is_covered, is_superseded, join_chain
from timerex_ghl.domain.shared.models import Booking, BookingId, ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef


def answered_by(
    tx: Connection, connection: ConnectionName, booking_id: BookingId
) -> list[RecordRef]:
    """List the subjects of reviews whose cause is gone once an event of a booking is applied.

    These are earlier events of the booking that were set aside, and all about the bookings that it
    replaced: their events, and moves whose new time was missing.
    """
    row = bookings.get_booking(tx, connection, booking_id)
    if row is None:
        return []
    chain = [row.booking]
    if row.booking.old_id or row.booking.new_id:  # joined when they were ingested
        chain = join_chain([one.booking for one in bookings.get_chain(tx, connection, row.booking)])
    rows = {
        RecordRef.booking(one.id): one
        for one in chain
        if one.id == booking_id or is_superseded(one, chain)
    }
    events = inbox_lookups.set_aside(tx, connection, [*rows])
    return [
        *(ref for ref, one in rows.items() if is_superseded(one, chain)),
        *(RecordRef.event(event.id) for event in events if _is_covered(event, rows)),
    ]


def _is_covered(event: SetAside, rows: Mapping[RecordRef, Booking]) -> bool:
    """Return whether the booking has the state that an event reports. An edit has none."""
    if event.source != "timerex":
        return True
    delivered = read_delivery(event.body.encode()).booking
    return delivered is not None and is_covered(rows[event.record], delivered)
