"""The handler of a move check: find the new time of a moved booking, or cancel the old one.

Both are undone by the new time itself, however late it comes: it takes the mirror over.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.adapters.timerex.polled import Polled
from timerex_ghl.domain.bookings.booking_merge import join_chain, pending_move
from timerex_ghl.domain.shared.errors import TimerexGhlError
from timerex_ghl.domain.shared.models import BookingId, BookingRow, ConnectionName
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.compare_polled import calendar_of, take
from timerex_ghl.engine.bookings.handle_booking import handle_edited_booking
from timerex_ghl.engine.bookings.pending_moves import store_check
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_booking
from timerex_ghl.engine.writes.locking import locked


class _PendingMove(NamedTuple):
    """A moved booking without its successor.

    Attributes:
        is_arriving: An event of the successor is pending.
        is_set_aside: An event of the successor was set aside, and has a review of its own.
    """

    row: BookingRow
    is_arriving: bool
    is_set_aside: bool

    @property
    def successor_id(self) -> BookingId | None:
        """Return the id of the new booking; None where TimeRex has not said it."""
        return self.row.booking.new_id


async def handle_lost_move(context: SyncContext, booking_id: BookingId) -> Outcome:
    """Check a moved booking whose new time should have arrived.

    TimeRex's API is asked for the new time, which is then stored as its webhook would have been.
    Where it does not return one, the old booking counts as cancelled, and a review is opened.
    """
    move = await context.ledger.read(_read, context.connection, booking_id)
    if move is None:
        return Outcome(what="no-op")
    if not move.is_arriving and not move.is_set_aside and context.timerex is not None:
        polled = await _ask(context.timerex, move)
        if polled is not None:
            await context.ledger.write(_store, context, move, polled, context.now())
            return Outcome(what="applied", detail={"successor": polled.booking.id})
    if move.is_arriving:
        await context.ledger.write(_check_again, context, move, context.now())
        return Outcome(what="no-op", detail={"successor": move.successor_id})
    names = [lock_of_booking(context.connection, booking_id)]
    async with locked(context.ledger, names, run_id=context.run_id):
        await context.ledger.write(_expire, context.connection, booking_id, context.now())
    outcome = await handle_edited_booking(context, booking_id)
    return outcome.model_copy(update={"what": "applied" if move.is_set_aside else "review"})


def _read(tx: Connection, connection: ConnectionName, booking_id: BookingId) -> _PendingMove | None:
    """Read a move; None where its successor is in the workspace."""
    row = bookings.get_booking(tx, connection, booking_id)
    if row is None:
        return None
    chain = join_chain([one.booking for one in bookings.get_chain(tx, connection, row.booking)])
    moved = pending_move(chain)
    if moved is None or moved.id != booking_id:
        return None
    successor = [] if moved.new_id is None else [RecordRef.booking(moved.new_id)]
    return _PendingMove(
        row,
        bool(inbox_lookups.waiting_records(tx, connection, successor)),
        bool(inbox_lookups.set_aside(tx, connection, successor)),
    )


async def _ask(timerex: TimerexClient, move: _PendingMove) -> Polled | None:
    """Read the successor over TimeRex's API; None where that returns none.

    An outage and a reached rate limit count as none, too: the old time is wrong in any case, and
    the poll finds the new one later.
    """
    calendar = calendar_of(move.row.booking)
    try:
        successor_id = move.successor_id
        if successor_id is None:
            successor_id = (await timerex.get_event(move.row.booking.id)).new_id
        return await timerex.get_delivery(successor_id, calendar) if successor_id else None
    except TimerexGhlError:
        return None


def _store(
    tx: Connection, context: SyncContext, move: _PendingMove, polled: Polled, now: datetime
) -> None:
    take(tx, context.connection, polled, now)
    _check_again(tx, context, move, now)


def _check_again(tx: Connection, context: SyncContext, move: _PendingMove, now: datetime) -> None:
    """Check again later: the successor's event may be set aside."""
    due_at = now + timedelta(minutes=context.settings.move_minutes)
    store_check(
        tx, context.connection, move.row.booking, now, due_at=due_at, reason=due_at.isoformat()
    )


def _expire(
    tx: Connection, connection: ConnectionName, booking_id: BookingId, now: datetime
) -> None:
    """Let the old booking count as cancelled, and open the review, unless the new one arrived."""
    move = _read(tx, connection, booking_id)
    if move is None:
        return
    booking, contact_id = move.row.booking, move.row.contact_id
    expired = booking.model_copy(update={"move_expired": True})
    bookings.save_booking(tx, connection, move.row.model_copy(update={"booking": expired}))
    if move.is_set_aside:
        return
    successor = f" (booking {booking.new_id})" if booking.new_id else ""
    reviews.open_review(
        tx,
        connection=connection,
        kind="lost-move",
        subject=RecordRef.booking(booking_id),
        reason=f"booking {booking_id} was moved in TimeRex, and its new time{successor} never"
        " arrived: the old time counts as cancelled; look it up in TimeRex, then retry or drop",
        detail={"people": [contact_id] if contact_id else [], "ghl_ids": []},
        now=now,
    )
