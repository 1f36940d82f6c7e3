"""Resolve a review about a booking's guest: a person decides who it is; the event is replayed."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import kept_apart, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.guest_plan import plan_person
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingRow,
    ContactId,
    EventId,
    GhlContact,
    GhlContactId,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.event_booking import booking_of_event
from timerex_ghl.engine.contacts.commit_contact import add_from_ghl
from timerex_ghl.engine.reviews.review_case import ReviewCase, close
from timerex_ghl.engine.writes.lock_names import lock_of_booking
from timerex_ghl.engine.writes.locking import locked

Choose = Callable[[Connection, BookingRow, datetime], ContactId]
"""Returns the guest's contact, adding it to the workspace where needed."""


def person_of(tx: Connection, case: ReviewCase) -> ContactId | None:
    """Return the workspace contact that a review is about, if there is one."""
    subject: RecordRef | None = case.review.subject
    if subject.kind == "event":
        event = inbox.read_event(tx, EventId(subject.id))
        subject = event.record if event else None
    match subject:
        case RecordRef("contact", contact_id):
            return ContactId(contact_id)
        case RecordRef("ghl", ghl_id):
            link = links.link_of_remote(tx, case.context.connection, "contact", ghl_id)
            return ContactId(link.local_id) if link else None
        case RecordRef("booking", booking_id):
            row = bookings.get_booking(tx, case.context.connection, BookingId(booking_id))
            return row.contact_id if row else None
        case _:
            return None


async def link_guest(case: ReviewCase, event_id: EventId, ghl_id: GhlContactId) -> bool:
    """Make a GHL contact the guest, and requeue the event."""
    ghl = await case.context.ghl.get_contact(ghl_id)  # raises unless it exists in this location

    def choose(tx: Connection, row: BookingRow, now: datetime) -> ContactId:
        return _who_is(tx, case, row.contact_id, ghl, now)

    return await _resolve_guest(case, event_id, choose)


async def part_guest(case: ReviewCase, event_id: EventId) -> bool:
    """Make the guest a new contact, and requeue the event."""

    def choose(tx: Connection, row: BookingRow, now: datetime) -> ContactId:
        contact_id = row.contact_id or _add_guest(tx, case, row.booking, now)
        pairs = [ContactPair(contact_id, ghl_id) for ghl_id in _others(tx, case, contact_id)]
        kept_apart.keep_apart(tx, case.context.connection, pairs)
        return contact_id

    return await _resolve_guest(case, event_id, choose)


async def _resolve_guest(case: ReviewCase, event_id: EventId, choose: Choose) -> bool:
    context = case.context
    row = await context.ledger.read(_booking_of, case, event_id)
    if row is None:
        raise SettingsError(f"event {event_id} has no booking: retry or drop it")
    names = [lock_of_booking(context.connection, row.booking.id)]
    async with locked(context.ledger, names, run_id=context.run_id):
        return await context.ledger.write(_replay_as, case, event_id, choose, context.now())


def _booking_of(tx: Connection, case: ReviewCase, event_id: EventId) -> BookingRow | None:
    return booking_of_event(tx, case.context.connection, inbox.read_event(tx, event_id))


def _replay_as(
    tx: Connection, case: ReviewCase, event_id: EventId, choose: Choose, now: datetime
) -> bool:
    row = _booking_of(tx, case, event_id)
    if row is None or not close(tx, case, now):
        return False
    row = row.model_copy(update={"contact_id": choose(tx, row, now)})
    bookings.save_booking(tx, case.context.connection, row)
    return True


def _who_is(
    tx: Connection, case: ReviewCase, guest_id: ContactId | None, ghl: GhlContact, now: datetime
) -> ContactId:
    """Resolve a GHL contact to a workspace contact: the linked one, the current guest, or new."""
    context = case.context
    owner = links.link_of_remote(tx, context.connection, "contact", ghl.id)
    if owner is not None:
        return ContactId(owner.local_id)
    if guest_id is None or links.link_of_local(tx, context.connection, "contact", guest_id):
        return add_from_ghl(tx, context, ghl, map_from_ghl(ghl, context.settings.rules), now).id
    links.save_links(
        tx,
        [Link(connection=context.connection, kind="contact", local_id=guest_id, remote_id=ghl.id)],
    )
    return guest_id


def _add_guest(tx: Connection, case: ReviewCase, booking: Booking, now: datetime) -> ContactId:
    settings = case.context.settings
    guest = plan_person(booking, None, settings.rules)
    keys = keys_of(guest, settings.region)
    return workspace_contacts.add_contact(tx, settings.name, guest, keys, now).id


def _others(tx: Connection, case: ReviewCase, contact_id: ContactId) -> list[GhlContactId]:
    """List the GHL contacts that the guest is kept apart from."""
    detail = case.review.detail
    people = [one for one in detail.get("people", []) if one != contact_id]
    linked = links.links_of_locals(tx, case.context.connection, "contact", people)
    remote = [*detail.get("ghl_ids", []), *(link.remote_id for link in linked.values())]
    return [GhlContactId(ghl_id) for ghl_id in remote]
