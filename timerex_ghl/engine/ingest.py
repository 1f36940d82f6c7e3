"""What a booking tells is taken into the workspace: its chain, its guest's fields and tags."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import bookings, workspace
from timerex_ghl.domain.bookings import is_superseded, join_chain
from timerex_ghl.domain.merge import apply_change
from timerex_ghl.domain.models import Booking, ContactId
from timerex_ghl.domain.person import plan_booking_tags, plan_person
from timerex_ghl.engine.commit import change_row
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.outcome import What
from timerex_ghl.engine.verify import Told, learned_row, take_in


def learn(tx: Connection, sides: Sides, told: Told, contact_id: ContactId, now: datetime) -> What:
    """Take a booking into the workspace; tell whether that changed anything."""
    booking = told.booking
    stored = bookings.get_booking(tx, sides.connection, booking.id)
    folded = take_in(stored, told)
    row = learned_row(stored, told, folded, contact_id)
    if row != stored:
        bookings.save_booking(tx, sides.connection, row, now)
    rows = bookings.get_chain(tx, sides.connection, row.booking)
    chain = {row.booking.id: row for row in rows}
    for joined in join_chain([row.booking for row in rows]):
        if joined != chain[joined.id].booking:
            chain[joined.id] = chain[joined.id].model_copy(update={"booking": joined})
            bookings.save_booking(tx, sides.connection, chain[joined.id], now)
    mine = chain[booking.id].booking
    changed = _learn_guest(tx, sides, mine, contact_id, now)
    if is_superseded(mine, [row.booking for row in chain.values()]):
        return "superseded"
    return "applied" if folded is not None or changed else "no-op"


def _learn_guest(
    tx: Connection, sides: Sides, booking: Booking, contact_id: ContactId, now: datetime
) -> bool:
    """Fill in what the form told, and set the tags that the person's bookings call for."""
    row = workspace.get_contact(tx, sides.connection, contact_id)
    if row is None:
        raise AssertionError("the guest was added with the booking")
    told = plan_person(booking, row.contact, sides.settings.rules)
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
