"""A booking's guest is locked and known: in the workspace already, from GHL, or new to both.

What can be done at one moment is one unit of work, since each costs a commit on the way of a
booking that somebody waits for.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import bookings, locks, workspace
from timerex_ghl.adapters.ledger.bookings import BookingRow
from timerex_ghl.adapters.ledger.locks import Fence
from timerex_ghl.domain.identity import Keys, keys_of
from timerex_ghl.domain.mapping import map_from_ghl
from timerex_ghl.domain.models import Contact, ContactId, GhlContact
from timerex_ghl.domain.person import plan_person
from timerex_ghl.engine.claim import Known, read_known
from timerex_ghl.engine.commit import add_from_ghl
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.ingest import learn
from timerex_ghl.engine.lock_names import lock_of_booking, lock_of_contact, locks_of_keys
from timerex_ghl.engine.locking import TTL_S, Busy, holder_name, insist, renewed
from timerex_ghl.engine.match_contact import choose_row, find_in_ghl, free_from_tombstone
from timerex_ghl.engine.outcome import What
from timerex_ghl.engine.verify import Told
from timerex_ghl.engine.write import Hold


class Guest(NamedTuple):
    """The guest of a booking, ours for a while.

    Attributes:
        known: What the ledger knows of them, once it has learned what the booking tells.
        learned: Whether that was anything new.
    """

    hold: Hold
    known: Known
    learned: What


class _Taken(NamedTuple):
    """A booking and whoever has its guest's keys, locked. `guest`: None where nobody knows them."""

    fence: Fence
    guest: Guest | None


@asynccontextmanager
async def claimed_guest(sides: Sides, told: Told) -> AsyncGenerator[Guest]:
    """Lock a booking and its guest, and take both into the workspace.

    Raises:
        HeldError: Somebody else carried one of them all the while.
        ReviewNeededError: It could be several people.
    """
    person = plan_person(told.booking, None, sides.settings.rules)
    keys = keys_of(person, sides.settings.region)
    holder = holder_name(sides.run_id)

    async def take() -> _Taken | Busy:
        return await sides.ledger.write(_take, sides, told, keys, holder, sides.now())

    fence, guest = await insist(sides.ledger, take)
    try:
        async with renewed(sides.ledger, fence):
            if guest is None:
                ghl = await find_in_ghl(sides, keys)
                guest = await sides.ledger.write(_add, sides, told, person, ghl, fence, sides.now())
            yield guest
    finally:
        sides.ledger.post(locks.release_lock, fence)


def _take(
    tx: Connection, sides: Sides, told: Told, keys: Keys, holder: str, now: datetime
) -> _Taken | Busy:
    contact_id = _find(tx, sides, told, keys)
    names = _locks(sides, told, keys, contact_id)
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    if contact_id is None:
        return _Taken(fence, None)
    return _Taken(fence, _learned(tx, sides, told, contact_id, fence, now))


def _find(tx: Connection, sides: Sides, told: Told, keys: Keys) -> ContactId | None:
    """Find the guest in the workspace: by the booking, else by e-mail and by phone."""
    stored = bookings.get_booking(tx, sides.connection, told.booking.id)
    if stored is not None and stored.contact_id is not None:
        return stored.contact_id
    row = choose_row(*workspace.find_contacts(tx, sides.connection, keys))
    return None if row is None else row.id


def _locks(sides: Sides, told: Told, keys: Keys, contact_id: ContactId | None) -> list[str]:
    """Lock the booking with its neighbours, whoever has the guest's keys, and the guest."""
    connection, booking = sides.connection, told.booking
    ids = {booking.id, booking.old_id, booking.new_id} - {None}
    return [
        *(lock_of_booking(connection, booking_id) for booking_id in ids if booking_id),
        *locks_of_keys(connection, keys),
        *([lock_of_contact(connection, contact_id)] if contact_id else []),
    ]


def _add(
    tx: Connection,
    sides: Sides,
    told: Told,
    person: Contact,
    ghl: GhlContact | None,
    fence: Fence,
    now: datetime,
) -> Guest:
    """Add a person together with their booking, so that no repetition adds them twice.

    Nobody else can carry them: their keys are locked.
    """
    if ghl is None:
        keys = keys_of(person, sides.settings.region)
        contact_id = workspace.add_contact(tx, sides.connection, person, keys, now).id
    else:
        theirs = map_from_ghl(ghl, sides.settings.rules)
        free_from_tombstone(tx, sides.connection, ghl.id)
        contact_id = add_from_ghl(tx, sides, ghl, theirs, now).id
    stored = bookings.get_booking(tx, sides.connection, told.booking.id)
    row = stored or BookingRow(booking=told.booking, contact_id=None, verified=told.verified)
    known = row.model_copy(update={"contact_id": contact_id})
    bookings.save_booking(tx, sides.connection, known, now)
    guest = _learned(tx, sides, told, contact_id, fence, now)
    return guest._replace(known=guest.known._replace(candidates=([], [])))


def _learned(
    tx: Connection,
    sides: Sides,
    told: Told,
    contact_id: ContactId,
    fence: Fence,
    now: datetime,
) -> Guest:
    learned = learn(tx, sides, told, contact_id, now)
    known = read_known(tx, sides.connection, contact_id)
    if known is None:
        raise AssertionError("the guest is in the workspace")
    return Guest(Hold(contact_id, fence), known._replace(candidates=None), learned)
