"""What a booking tells is taken into the workspace: its chain, its guest's fields and tags."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import bookings, workspace
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.carry.outcome import What
from timerex_ghl.carry.remember import change_row
from timerex_ghl.carry.sides import Sides
from timerex_ghl.carry.verify import Told
from timerex_ghl.sync.bookings import fold_booking, is_superseded, join_chain
from timerex_ghl.sync.merge import apply_change
from timerex_ghl.sync.models import Booking, BookingId, ContactId
from timerex_ghl.sync.person import plan_booking_tags, plan_person


def learn(tx: Connection, sides: Sides, told: Told, contact_id: ContactId, now: datetime) -> What:
    """Take a booking into the workspace; tell whether that changed anything."""
    stored = bookings.get_booking(tx, sides.connection, told.booking.id)
    booking, is_news = _fold(stored, told.booking)
    if is_news or stored is None or stored.contact_id is None:
        verified = told.verified or (not is_news and stored is not None and stored.verified)
        row = BookingRow(booking=booking, contact_id=contact_id, verified=verified)
        bookings.save_booking(tx, sides.connection, row, now)
    chain = bookings.get_chain(tx, sides.connection, booking)
    owners = {row.booking.id: row for row in chain}
    for joined in join_chain([row.booking for row in chain]):
        if joined != owners[joined.id].booking:
            row = owners[joined.id].model_copy(update={"booking": joined})
            bookings.save_booking(tx, sides.connection, row, now)
    changed = _learn_guest(tx, sides, booking.id, contact_id, now)
    mine = bookings.get_booking(tx, sides.connection, booking.id)
    if mine is not None and is_superseded(mine.booking, [row.booking for row in chain]):
        return "superseded"
    return "applied" if is_news or changed else "no-op"


def _fold(stored: BookingRow | None, told: Booking) -> tuple[Booking, bool]:
    """Give a booking as it is now, and whether that is news.

    One made here is edited, where one of TimeRex is only told of: its row is what it says, since
    somebody may have edited it after it was read.
    """
    if stored is not None and stored.origin == "workspace":
        return stored.booking, False
    folded = fold_booking(stored.booking if stored else None, told)
    return folded or told, folded is not None


def _learn_guest(
    tx: Connection, sides: Sides, booking_id: BookingId, contact_id: ContactId, now: datetime
) -> bool:
    """Fill in what the form told, and set the tags that the person's bookings call for."""
    row = workspace.get_contact(tx, sides.connection, contact_id)
    stored = bookings.get_booking(tx, sides.connection, booking_id)
    if row is None or stored is None:
        raise AssertionError("the guest was added with the booking")
    told = plan_person(stored.booking, row.contact, sides.settings.rules)
    tags = plan_booking_tags(
        [each.booking for each in bookings.bookings_of(tx, sides.connection, contact_id)],
        apply_change(row.contact, told).tags or frozenset(),
        booked_tag=sides.settings.booked_tag,
        cancelled_tag=sides.settings.cancelled_tag,
    )
    change = told.model_copy(
        update={"tags_added": tags.tags_added, "tags_removed": tags.tags_removed}
    )
    return change_row(tx, sides, row, change, now) != row
