"""Ingest a booking into the workspace: its chain, and its guest's fields and tags."""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.domain.bookings.booking_merge import is_superseded, join_chain
from timerex_ghl.domain.bookings.guest_plan import plan_booking_tags, plan_person
from timerex_ghl.domain.bookings.verification import BookingSnapshot, ingested_row, merge_snapshot
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import Booking, ContactId
from timerex_ghl.domain.shared.outcome import What
from timerex_ghl.engine.bookings.pending_moves import watch_moves
from timerex_ghl.engine.contacts.commit_contact import change_row
from timerex_ghl.engine.context import SyncContext


def ingest_booking(
    tx: Connection,
    context: SyncContext,
    snapshot: BookingSnapshot,
    contact_id: ContactId,
    now: datetime,
) -> What:
    """Ingest a booking into the workspace; return whether that changed anything."""
    booking = snapshot.booking
    stored = bookings.get_booking(tx, context.connection, booking.id)
    folded = merge_snapshot(stored, snapshot)
    row = ingested_row(stored, snapshot, folded, contact_id)
    if row != stored:
        bookings.save_booking(tx, context.connection, row)
    rows = bookings.get_chain(tx, context.connection, row.booking)
    chain = {row.booking.id: row for row in rows}
    joined_rows = join_chain([row.booking for row in rows])
    for joined in joined_rows:
        if joined != chain[joined.id].booking:
            chain[joined.id] = chain[joined.id].model_copy(update={"booking": joined})
            bookings.save_booking(tx, context.connection, chain[joined.id])
    watch_moves(tx, context, joined_rows, now)
    mine = chain[booking.id].booking
    changed = _ingest_guest(tx, context, mine, contact_id, now)
    if is_superseded(mine, [row.booking for row in chain.values()]):
        return "superseded"
    return "applied" if folded is not None or changed else "no-op"


def _ingest_guest(
    tx: Connection, context: SyncContext, booking: Booking, contact_id: ContactId, now: datetime
) -> bool:
    """Fill in the form's answers, and set the tags that the contact's bookings call for.

    Of a guest who was deleted in the workspace only the tags follow: GHL's contact has them still.
    """
    row = workspace_contacts.get_contact(tx, context.connection, contact_id)
    if row is None:
        raise AssertionError("the guest was added with the booking")
    rules = context.settings.rules
    snapshot = WorkspaceChange() if row.deleted else plan_person(booking, row.contact, rules)
    tags = plan_booking_tags(
        [each.booking for each in bookings.bookings_of(tx, context.connection, contact_id)],
        apply_change(row.contact, snapshot).tags or frozenset(),
        booked_tag=context.settings.booked_tag,
        cancelled_tag=context.settings.cancelled_tag,
    )
    change = snapshot.model_copy(
        update={"tags_added": tags.tags_added, "tags_removed": tags.tags_removed}
    )
    return change_row(tx, context, row, change, now) != row
