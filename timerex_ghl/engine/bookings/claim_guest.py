"""Claim a booking's guest: a workspace contact, one from GHL, or one new to both.

Steps are joined into as few units of work as possible, since each costs a commit while a person
waits for the booking.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.bookings.guest_plan import plan_person
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.contacts.identity import Keys, keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.models import (
    BookingRow,
    ConnectionName,
    Contact,
    ContactId,
    GhlContact,
)
from timerex_ghl.domain.shared.outcome import What
from timerex_ghl.engine.bookings.ingest_booking import ingest_booking
from timerex_ghl.engine.bookings.mirror_state import MirrorState, read_mirror
from timerex_ghl.engine.contacts.claim_contact import ContactState, read_state
from timerex_ghl.engine.contacts.commit_contact import add_from_ghl
from timerex_ghl.engine.contacts.match_contact import choose_row, find_in_ghl, free_from_tombstone
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_booking, lock_of_contact, locks_of_keys
from timerex_ghl.engine.writes.locking import TTL_S, Busy, Claimed, Lock, claim, holder_name
from timerex_ghl.engine.writes.write import Claim


class Guest(NamedTuple):
    """The claimed guest of a booking.

    Attributes:
        known: The ledger's state of the contact, after the booking was ingested.
        mirror: The ledger's state of the booking's mirrors.
        ingested: What ingesting the booking did.
    """

    claim: Claim
    known: ContactState
    mirror: MirrorState
    ingested: What


_Taken: TypeAlias = Claimed[Lock, Guest | None]
"""A locked booking and its guest; None where the workspace has no such contact."""


@asynccontextmanager
async def claim_guest(context: SyncContext, snapshot: BookingSnapshot) -> AsyncGenerator[Guest]:
    """Lock a booking and its guest, and ingest both into the workspace.

    Raises:
        LockedError: Another process kept one of them locked all the while.
        ReviewNeededError: The guest could be several contacts.
    """
    person = plan_person(snapshot.booking, None, context.settings.rules)
    keys = keys_of(person, context.settings.region)
    holder = holder_name(context.run_id)

    async def take() -> _Taken | Busy:
        return await context.ledger.write(_take, context, snapshot, keys, holder, context.now())

    async with claim(context.ledger, take) as taken:
        guest = taken.known
        if guest is None:
            ghl = await find_in_ghl(context, keys)
            guest = await context.ledger.write(
                _add, context, snapshot, person, ghl, taken.claim.fence, context.now()
            )
        yield guest


def _take(
    tx: Connection,
    context: SyncContext,
    snapshot: BookingSnapshot,
    keys: Keys,
    holder: str,
    now: datetime,
) -> _Taken | Busy:
    contact_id = _find(tx, context.connection, snapshot, keys)
    names = _locks(context, snapshot, keys, contact_id)
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    if contact_id is None:
        return Claimed(Lock(fence=fence), None)
    guest = _ingested(tx, context, snapshot, contact_id, fence, now)
    return Claimed(Lock(fence=fence), guest)


def _find(
    tx: Connection, connection: ConnectionName, snapshot: BookingSnapshot, keys: Keys
) -> ContactId | None:
    """Find the guest in the workspace: by the booking, else by e-mail and by phone."""
    stored = bookings.get_booking(tx, connection, snapshot.booking.id)
    if stored is not None and stored.contact_id is not None:
        return stored.contact_id
    row = choose_row(*workspace_contacts.find_contacts(tx, connection, keys))
    return None if row is None else row.id


def _locks(
    context: SyncContext, snapshot: BookingSnapshot, keys: Keys, contact_id: ContactId | None
) -> list[str]:
    """Name the locks of the booking and its neighbours, of the guest's keys, and of the guest."""
    connection, booking = context.connection, snapshot.booking
    ids = {booking.id, booking.old_id, booking.new_id} - {None}
    return [
        *(lock_of_booking(connection, booking_id) for booking_id in ids if booking_id),
        *locks_of_keys(connection, keys),
        *([lock_of_contact(connection, contact_id)] if contact_id else []),
    ]


def _add(
    tx: Connection,
    context: SyncContext,
    snapshot: BookingSnapshot,
    person: Contact,
    ghl: GhlContact | None,
    fence: Fence,
    now: datetime,
) -> Guest:
    """Add a contact together with its booking, so that a repeat does not add it twice.

    No other process can do the same: the guest's keys are locked.
    """
    if ghl is None:
        keys = keys_of(person, context.settings.region)
        contact_id = workspace_contacts.add_contact(tx, context.connection, person, keys, now).id
    else:
        remote = map_from_ghl(ghl, context.settings.rules)
        free_from_tombstone(tx, context.connection, ghl.id)
        contact_id = add_from_ghl(tx, context, ghl, remote, now).id
    stored = bookings.get_booking(tx, context.connection, snapshot.booking.id)
    row = stored or BookingRow(
        booking=snapshot.booking, contact_id=None, verified=snapshot.verified
    )
    known = row.model_copy(update={"contact_id": contact_id})
    bookings.save_booking(tx, context.connection, known)
    guest = _ingested(tx, context, snapshot, contact_id, fence, now)
    return guest._replace(known=guest.known._replace(candidates=([], [])))


def _ingested(
    tx: Connection,
    context: SyncContext,
    snapshot: BookingSnapshot,
    contact_id: ContactId,
    fence: Fence,
    now: datetime,
) -> Guest:
    ingested = ingest_booking(tx, context, snapshot, contact_id, now)
    known = read_state(tx, context.connection, contact_id)
    if known is None:
        raise AssertionError("the guest is in the workspace")
    mirror = read_mirror(tx, context.connection, snapshot.booking, known.unknown)
    return Guest(
        Claim(contact_id=contact_id, fence=fence), known._replace(candidates=None), mirror, ingested
    )
