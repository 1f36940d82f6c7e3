"""Claim a booking's guest: a workspace contact, one from GHL, or one new to both.

Steps are joined into as few units of work as possible, since each costs a commit while a person
waits for the booking.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.people import KeyedGhlContact, find_people
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.bookings.guest_plan import plan_person
from timerex_ghl.domain.bookings.verification import BookingSnapshot
from timerex_ghl.domain.contacts.identity import (
    Keys,
    NoMatch,
    keys_of,
    match_email,
    match_person,
)
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import (
    BookingRow,
    Contact,
    ContactId,
    GhlContact,
)
from timerex_ghl.domain.shared.outcome import What
from timerex_ghl.engine.bookings.ingest_booking import ingest_booking
from timerex_ghl.engine.bookings.mirror_state import MirrorState, read_mirror
from timerex_ghl.engine.contacts.claim_contact import ContactState, read_state
from timerex_ghl.engine.contacts.commit_contact import add_from_ghl
from timerex_ghl.engine.contacts.match_contact import (
    Candidates,
    ask_ghl,
    free_from_tombstone,
    the_one,
)
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
"""A locked booking and its guest; None where that takes a question to GHL."""


class _GuestSearch(NamedTuple):
    """The booking, and its guest as the form names them."""

    context: SyncContext
    snapshot: BookingSnapshot
    person: Contact
    keys: Keys


@asynccontextmanager
async def claim_guest(context: SyncContext, snapshot: BookingSnapshot) -> AsyncGenerator[Guest]:
    """Lock a booking and its guest, and ingest both into the workspace.

    Raises:
        LockedError: Another process kept one of them locked all the while.
        ReviewNeededError: The guest could be several contacts.
    """
    person = plan_person(snapshot.booking, None, context.settings.rules)
    search = _GuestSearch(context, snapshot, person, keys_of(person, context.settings.region))
    async with _claim(search) as taken:
        found = taken.known or await _ask_and_add(search, taken.claim.fence)
        if isinstance(found, Guest):
            yield found
            return
    async with _claim(search, found) as taken:  # a contact of the workspace, which GHL named
        if taken.known is None:
            raise RetryableError(f"contact {found} was deleted meanwhile")
        yield taken.known


def _claim(
    search: _GuestSearch, contact_id: ContactId | None = None
) -> AbstractAsyncContextManager[_Taken]:
    context = search.context
    holder = holder_name(context.run_id)

    async def take() -> _Taken | Busy:
        return await context.ledger.write(_take, search, contact_id, holder, context.now())

    return claim(context.ledger, take)


def _take(
    tx: Connection, search: _GuestSearch, named: ContactId | None, holder: str, now: datetime
) -> _Taken | Busy:
    contact_id = _find(tx, search, named)
    names = _locks(search, contact_id)
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    if contact_id is None:
        return Claimed(Lock(fence=fence), None)
    return Claimed(Lock(fence=fence), _ingested(tx, search, contact_id, fence, now))


def _find(tx: Connection, search: _GuestSearch, named: ContactId | None) -> ContactId | None:
    """Find the guest in the workspace: by the booking, one it was moved from or to, or e-mail.

    A phone decides here only for a guest without an e-mail: GHL may know whose the e-mail is.
    """
    connection = search.context.connection
    stored = bookings.get_booking(tx, connection, search.snapshot.booking.id)
    if stored is not None and stored.contact_id is not None:
        return stored.contact_id
    moved = _find_moved(tx, search)
    if moved is not None:
        return moved
    if named is not None:
        row = workspace_contacts.get_contact(tx, connection, named)
        return None if row is None or row.deleted else named
    people = find_people(tx, connection, [search.keys])
    if search.keys.emails:
        found = match_email(search.keys, people.known)
    else:
        found = match_person(search.keys, people.known, people.others)
    person = the_one(found)
    return None if person is None else person.row.id


def _find_moved(tx: Connection, search: _GuestSearch) -> ContactId | None:
    """Find the contact of a booking that this one was moved from or to, if the guest is the same.

    The contact may have another e-mail by now than the guest keeps entering.
    """
    context, booking, keys = search.context, search.snapshot.booking, search.keys
    if not (booking.old_id or booking.new_id) or not (keys.emails or keys.phones):
        return None
    for row in bookings.get_chain(tx, context.connection, booking):
        guest = plan_person(row.booking, None, context.settings.rules)
        if row.contact_id and keys_of(guest, context.settings.region) == keys:
            return row.contact_id
    return None


def _locks(search: _GuestSearch, contact_id: ContactId | None) -> list[str]:
    """Name the locks of the booking and its neighbours, of the guest's keys, and of the guest."""
    connection, booking = search.context.connection, search.snapshot.booking
    ids = {booking.id, booking.old_id, booking.new_id} - {None}
    return [
        *(lock_of_booking(connection, booking_id) for booking_id in ids if booking_id),
        *locks_of_keys(connection, search.keys),
        *([lock_of_contact(connection, contact_id)] if contact_id else []),
    ]


async def _ask_and_add(search: _GuestSearch, fence: Fence) -> Guest | ContactId:
    """Find the guest with GHL's help, or add them; return a known contact's id unclaimed."""
    context = search.context
    asked = await ask_ghl(context, search.keys)
    return await context.ledger.write(_resolve, search, asked, fence, context.now())


def _resolve(
    tx: Connection,
    search: _GuestSearch,
    asked: KeyedGhlContact | None,
    fence: Fence,
    now: datetime,
) -> Guest | ContactId:
    just_read = [] if asked is None else [asked]
    people = find_people(tx, search.context.connection, [search.keys], just_read)
    found = match_person(search.keys, people.known, people.others)
    if isinstance(match_email(search.keys, people.known), NoMatch) and not isinstance(
        match_email(search.keys, people.unlinked), NoMatch
    ):
        found = NoMatch()  # a phone does not count where GHL has the e-mail
    person = the_one(found)
    if person is not None:
        return person.row.id
    known = [one.keys for one in people.known]
    ghl = the_one(match_person(search.keys, people.unlinked, known))
    is_current = ghl is not None and asked is not None and ghl.id == asked.contact.id
    return _add(tx, search, ghl if is_current else None, fence, now)


def _add(
    tx: Connection, search: _GuestSearch, ghl: GhlContact | None, fence: Fence, now: datetime
) -> Guest:
    """Add a contact together with its booking, so that a repeat does not add it twice.

    No other process can do the same: the guest's keys are locked.
    """
    context, snapshot, person, keys = search
    if ghl is None:
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
    guest = _ingested(tx, search, contact_id, fence, now)
    return guest._replace(known=guest.known._replace(candidates=Candidates([], [])))


def _ingested(
    tx: Connection, search: _GuestSearch, contact_id: ContactId, fence: Fence, now: datetime
) -> Guest:
    context, snapshot = search.context, search.snapshot
    ingested = ingest_booking(tx, context, snapshot, contact_id, now)
    known = read_state(tx, context.connection, contact_id)
    if known is None:
        raise AssertionError("the guest is in the workspace")
    mirror = read_mirror(tx, context.connection, snapshot.booking, known.unknown)
    return Guest(
        Claim(contact_id=contact_id, fence=fence), known._replace(candidates=None), mirror, ingested
    )
