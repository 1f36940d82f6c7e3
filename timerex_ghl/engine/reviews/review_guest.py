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
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.bookings.guest_plan import plan_person
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingRow,
    ContactId,
    EventId,
    GhlContact,
    GhlContactId,
)
from timerex_ghl.engine.contacts.commit_contact import add_from_ghl
from timerex_ghl.engine.reviews.review_case import ReviewCase, close
from timerex_ghl.engine.writes.lock_names import lock_of_booking
from timerex_ghl.engine.writes.locking import locked

Choose = Callable[[Connection, BookingRow, datetime], ContactId]
"""Returns the guest's contact, adding it to the workspace where needed."""


def person_of(tx: Connection, case: ReviewCase) -> ContactId | None:
    """Return the workspace contact that a review is about, if there is one."""
    connection = case.context.connection
    subject = case.review.subject
    if subject.kind == "contact":
        return ContactId(subject.id)
    if subject.kind == "ghl":
        link = links.link_of_remote(tx, connection, "contact", subject.id)
        return ContactId(link.local_id) if link else None
    event = inbox.read_event(tx, EventId(subject.id))
    booking = read_delivery(event.body.encode()).booking if event else None
    stored = bookings.get_booking(tx, connection, booking.id) if booking else None
    return stored.contact_id if stored else None


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
    event = await context.ledger.read(inbox.read_event, event_id)
    booking = read_delivery(event.body.encode()).booking if event else None
    if booking is None:
        raise SettingsError(f"event {event_id} has no booking: retry or drop it")
    names = [lock_of_booking(context.connection, booking.id)]
    async with locked(context.ledger, names, run_id=context.run_id):
        return await context.ledger.write(_replay_as, case, booking, choose, context.now())


def _replay_as(
    tx: Connection, case: ReviewCase, booking: Booking, choose: Choose, now: datetime
) -> bool:
    if not close(tx, case, now):
        return False
    stored = bookings.get_booking(tx, case.context.connection, booking.id)
    row = stored or BookingRow(booking=booking, contact_id=None, verified=False)
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
