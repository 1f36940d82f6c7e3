"""The check of a moved booking whose new time has not arrived.

TimeRex reports a move as two events, of which either may be lost (docs/vendors/timerex.md). Storing
the first one stores an inbox event, too, that is due when the other one should have arrived: so the
check survives a restart, and is made once.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_lookups
from timerex_ghl.adapters.ledger.tables.inbox.inbox import Arrival, InboxState
from timerex_ghl.domain.bookings.booking_merge import is_superseded, pending_move
from timerex_ghl.domain.shared.models import Booking, BookingId, ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext

MOVE_CHECK: Final = "move check"
"""Type of the inbox event that checks a pending move."""


def watch_moves(
    tx: Connection, context: SyncContext, chain: Sequence[Booking], now: datetime
) -> None:
    """Store the check of a chain's pending move, and end the checks of completed ones.

    Args:
        tx: Open transaction.
        context: The connection's clients, ledger and settings.
        chain: The joined chain of a booking that was just ingested.
        now: The time.
    """
    connection = context.connection
    for booking in chain:
        if is_superseded(booking, chain):
            ref = RecordRef.booking(booking.id)
            over = inbox_lookups.pending_of_record(tx, connection, ref, MOVE_CHECK)
            if over:
                inbox.finish_events(tx, over, InboxState.SUPERSEDED, now=now)
    moved = pending_move(chain)
    if moved is not None and not moved.move_expired:
        due_at = now + timedelta(minutes=context.settings.move_minutes)
        store_check(tx, connection, moved, now, due_at=due_at)


def store_check(
    tx: Connection,
    connection: ConnectionName,
    moved: Booking,
    now: datetime,
    *,
    due_at: datetime,
    reason: str = "",
) -> None:
    """Store the check of one move, once for each reason."""
    arrival = Arrival(
        connection,
        "workspace",
        MOVE_CHECK,
        " ".join(["move", moved.id, moved.new_id or "", reason]).rstrip(),
        json.dumps({"moved": moved.id, "to": moved.new_id}),
        record=RecordRef.booking(moved.id),
        origin="timer",
        due_at=due_at,
    )
    inbox.store_events(tx, [arrival], now)


def check_now(
    tx: Connection, connection: ConnectionName, booking_id: BookingId, reason: str, now: datetime
) -> None:
    """Store a check that is due at once, for a person who asks for it."""
    row = bookings.get_booking(tx, connection, booking_id)
    if row is not None:
        store_check(tx, connection, row.booking, now, due_at=now, reason=reason)
