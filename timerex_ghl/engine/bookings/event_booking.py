"""The booking that an inbox event is about."""

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.shared.models import BookingId, BookingRow, ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef


def booking_of_event(
    tx: Connection, connection: ConnectionName, event: InboxEvent | None
) -> BookingRow | None:
    """Return the booking as it is stored, else as TimeRex delivered it.

    None where the event is about another kind of record, whatever its source.
    """
    match event:
        case InboxEvent(record=RecordRef("booking", booking_id)):
            stored = bookings.get_booking(tx, connection, BookingId(booking_id))
        case _:
            return None
    if stored is not None or event.source != "timerex":
        return stored
    booking = read_delivery(event.body.encode()).booking
    return booking and BookingRow(booking=booking, contact_id=None, verified=False)
