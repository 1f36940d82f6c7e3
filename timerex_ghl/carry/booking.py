"""The sentence of one booking: both sides know the guest, and one note tells how it stands."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import bookings, workspace
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.carry.level import bring_level
from timerex_ghl.carry.locking import held
from timerex_ghl.carry.names import lock_of_booking, lock_of_contact, locks_of_keys
from timerex_ghl.carry.notes import carry_notes
from timerex_ghl.carry.outcome import Outcome, What
from timerex_ghl.carry.person import find_in_ghl, find_in_workspace
from timerex_ghl.carry.remember import add_from_ghl, change_row
from timerex_ghl.carry.sides import Sides, utc_now
from timerex_ghl.carry.verify import Told, read_back
from timerex_ghl.carry.write import Hold
from timerex_ghl.sync.bookings import fold_booking, is_superseded, join_chain
from timerex_ghl.sync.identity import Keys, keys_of
from timerex_ghl.sync.mapping import map_from_ghl
from timerex_ghl.sync.merge import apply_change
from timerex_ghl.sync.models import Booking, BookingId, Contact, ContactId, GhlContact
from timerex_ghl.sync.person import plan_booking_tags, plan_person


async def carry_booking(sides: Sides, event: InboxEvent) -> Outcome:
    """Bring the CRM level with the booking that an event tells of."""
    delivered = read_delivery(event.body.encode()).booking
    if delivered is None:
        return Outcome(what="ignored")
    told = await read_back(sides, delivered)
    booking = told.booking
    guest = plan_person(booking, None, sides.settings.rules)
    keys = keys_of(guest, sides.settings.region)
    async with held(sides.ledger, _locks(sides, booking, keys), run_id=sides.run_id):
        contact_id = await _know_guest(sides, told, guest, keys)
        names = [lock_of_contact(sides.connection, contact_id)]
        async with held(sides.ledger, names, run_id=sides.run_id) as fence:
            hold = Hold(contact_id, fence)
            learned = await sides.ledger.write(_learn, sides, told, contact_id, utc_now())
            level = await bring_level(sides, hold)
            note_writes = await carry_notes(sides, hold, booking.id, level.known_ghl_id)
    writes = level.outcome.writes + note_writes
    what: What = learned if level.outcome.what == "no-op" and not note_writes else "applied"
    if level.outcome.what == "review":
        what = "review"
    return Outcome(
        what=what,
        writes=writes,
        contact_id=level.ghl_id,
        detail={"state": booking.state, "verified": told.verified},
    )


def _locks(sides: Sides, booking: Booking, keys: Keys) -> list[str]:
    """Lock the booking with its neighbours, and whoever has the guest's keys."""
    ids = {booking.id, booking.old_id, booking.new_id} - {None}
    names = [lock_of_booking(sides.connection, booking_id) for booking_id in ids if booking_id]
    return [*names, *locks_of_keys(sides.connection, keys)]


async def _know_guest(sides: Sides, told: Told, guest: Contact, keys: Keys) -> ContactId:
    """Find the guest in the workspace, or bring them there: from GHL where it knows them."""
    stored = await sides.ledger.read(bookings.get_booking, sides.connection, told.booking.id)
    if stored is not None and stored.contact_id is not None:
        return stored.contact_id
    row = await find_in_workspace(sides, keys)
    if row is not None:
        return row.id
    ghl = await find_in_ghl(sides, keys)
    return await sides.ledger.write(_add_guest, sides, told, guest, ghl, utc_now())


def _add_guest(
    tx: Connection,
    sides: Sides,
    told: Told,
    guest: Contact,
    ghl: GhlContact | None,
    now: datetime,
) -> ContactId:
    """Add a person with their booking at one moment, so that no repetition adds them twice."""
    if ghl is None:
        keys = keys_of(guest, sides.settings.region)
        contact_id = workspace.add_contact(tx, sides.connection, guest, keys, now).id
    else:
        theirs = map_from_ghl(ghl, sides.settings.rules)
        contact_id = add_from_ghl(tx, sides, ghl, theirs, now).id
    row = BookingRow(booking=told.booking, contact_id=contact_id, verified=told.verified)
    bookings.save_booking(tx, sides.connection, row, now)
    return contact_id


def _learn(tx: Connection, sides: Sides, told: Told, contact_id: ContactId, now: datetime) -> What:
    """Take the booking into the workspace: its chain, its guest's fields and tags."""
    booking = told.booking
    stored = bookings.get_booking(tx, sides.connection, booking.id)
    folded = fold_booking(stored.booking if stored else None, booking)
    if folded is not None or stored is None or stored.contact_id is None:
        verified = told.verified or (folded is None and stored is not None and stored.verified)
        row = BookingRow(booking=folded or booking, contact_id=contact_id, verified=verified)
        bookings.save_booking(tx, sides.connection, row, now)
    chain = bookings.get_chain(tx, sides.connection, folded or booking)
    owners = {row.booking.id: row for row in chain}
    for joined in join_chain([row.booking for row in chain]):
        if joined != owners[joined.id].booking:
            row = owners[joined.id].model_copy(update={"booking": joined})
            bookings.save_booking(tx, sides.connection, row, now)
    changed = _learn_guest(tx, sides, booking.id, contact_id, now)
    mine = bookings.get_booking(tx, sides.connection, booking.id)
    if mine is not None and is_superseded(mine.booking, [row.booking for row in chain]):
        return "superseded"
    return "applied" if folded is not None or changed else "no-op"


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
