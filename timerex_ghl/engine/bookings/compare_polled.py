"""Compare what a poll of TimeRex finds with the ledger, and store what is new."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_lookups
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.timerex.polled import Polled, key_of_row
from timerex_ghl.adapters.timerex.replies import CalendarId, EventRow, TimerexCalendar
from timerex_ghl.domain.bookings.verification import is_confirmed_by
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingRow,
    BookingState,
    ConnectionName,
    Record,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.writes.close_reviews import close_answered


class ScanCounts(Record):
    """Counts of a scan.

    Attributes:
        listed: Events on TimeRex's pages.
        stored: Put into the inbox.
        verified: Bookings where TimeRex confirms what a webhook reported.
        unknown: Bookings that TimeRex does not have (any more): each gets a review.
        unread: Bookings that could not be read, and calendars that could not be listed: the next
            scan tries them again.
    """

    listed: int = 0
    stored: int = 0
    verified: int = 0
    unknown: int = 0
    unread: int = 0

    def __add__(self, other: "ScanCounts") -> "ScanCounts":
        """Add the counts of two steps."""
        fields = type(self).model_fields
        return ScanCounts(**{name: getattr(self, name) + getattr(other, name) for name in fields})

    def in_words(self) -> str:
        """Return the counts in one line, without those that are zero."""
        names = {
            "stored": "put into the inbox",
            "verified": "confirmed",
            "unknown": "unknown to TimeRex",
            "unread": "not readable",
        }
        said = [f"{getattr(self, key)} {word}" for key, word in names.items() if getattr(self, key)]
        return ", ".join([f"{self.listed} events listed", *said])


def unknown_of(
    tx: Connection, connection: ConnectionName, rows: Sequence[EventRow]
) -> list[BookingId]:
    """Select the events of a page that differ from the ledger or are unverified there.

    One with a pending inbox event is skipped; the next scan looks at it again.
    """
    existing = bookings.get_bookings(tx, connection, [row.id for row in rows])
    stored = inbox_lookups.known_dedupe_keys(
        tx, connection, "timerex", [key_of_row(row) for row in rows]
    )
    waiting = inbox_lookups.waiting_records(
        tx, connection, [RecordRef.booking(row.id) for row in rows]
    )
    return [
        row.id
        for row in rows
        if RecordRef.booking(row.id) not in waiting
        and _is_news(row, existing.get(row.id), is_stored=key_of_row(row) in stored)
    ]


def _is_news(row: EventRow, existing: BookingRow | None, *, is_stored: bool) -> bool:
    if existing is None:
        return not is_stored
    booking = existing.booking
    is_same = (
        row.cancelled == (booking.state is not BookingState.CONFIRMED)
        and row.starts_at == booking.starts_at
        and row.ends_at == booking.ends_at
    )
    return not existing.verified or (not is_same and not is_stored)


def doubtful_of(
    tx: Connection, connection: ConnectionName, ids: Sequence[BookingId]
) -> list[BookingRow]:
    """Select bookings that are confirmed or unverified here and have no pending inbox event."""
    waiting = inbox_lookups.waiting_records(tx, connection, [RecordRef.booking(one) for one in ids])
    return [
        row
        for booking_id, row in bookings.get_bookings(tx, connection, ids).items()
        if RecordRef.booking(booking_id) not in waiting
        and (row.booking.state is BookingState.CONFIRMED or not row.verified)
    ]


def calendar_of(booking: Booking) -> TimerexCalendar:
    """Build the calendar from what a booking says of it."""
    return TimerexCalendar(
        id=CalendarId(booking.calendar_id or ""),
        team_id=None,
        name=booking.calendar_name,
        url=None,
        duration_min=None,
    )


def take(tx: Connection, connection: ConnectionName, polled: Polled, now: datetime) -> ScanCounts:
    """Store an inbox event for a booking with news; mark one without as verified."""
    booking = polled.booking
    existing = bookings.get_booking(tx, connection, booking.id)
    close_answered(tx, connection, [RecordRef.booking(booking.id)], now)
    if existing is not None and is_confirmed_by(existing.booking, booking):
        return _verify(tx, connection, existing)
    _, is_new = inbox.store_event(
        tx,
        connection=connection,
        source="timerex",
        origin="poll",
        type=polled.type,
        dedupe_key=polled.dedupe_key,
        body=polled.body,
        now=now,
        record=RecordRef.booking(booking.id),
    )
    return ScanCounts(stored=int(is_new))


def _verify(tx: Connection, connection: ConnectionName, existing: BookingRow) -> ScanCounts:
    if existing.verified:
        return ScanCounts()
    row = existing.model_copy(update={"verified": True})
    bookings.save_booking(tx, connection, row)
    return ScanCounts(verified=1)


def note_unknown(
    tx: Connection, connection: ConnectionName, booking_id: BookingId, now: datetime
) -> ScanCounts:
    """Open a review about a confirmed booking that TimeRex does not have.

    One that is cancelled in the workspace needs none: both sides agree.
    """
    existing = bookings.get_booking(tx, connection, booking_id)
    if existing is None:
        return ScanCounts()
    if existing.booking.state is not BookingState.CONFIRMED:
        _verify(tx, connection, existing)
        return ScanCounts()
    opened = reviews.open_review(
        tx,
        connection=connection,
        kind="gone",
        subject=RecordRef.booking(booking_id),
        reason=f"TimeRex has no booking {booking_id}, confirmed in the workspace: nothing changed",
        detail={"people": [existing.contact_id] if existing.contact_id else [], "ghl_ids": []},
        now=now,
    )
    return ScanCounts(unknown=int(opened.is_new))
