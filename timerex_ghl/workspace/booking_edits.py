"""Edits of bookings made in the workspace. Those made in TimeRex can only be changed there."""

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.domain.bookings.booking_entry import NEEDED, BookingEntry, enter_booking
from timerex_ghl.domain.contacts.contact_entry import EntryError, FieldFault
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingRow, BookingState, ContactId
from timerex_ghl.domain.shared.normal import email_key
from timerex_ghl.workspace.edits import Edit, Editor, UnknownRecordError, check_version, keep_track


class MadeInTimerexError(SkippableError):
    """The booking came from TimeRex, which has no call that edits one."""


def add_booking(
    tx: Connection,
    editor: Editor,
    entry: BookingEntry,
    contact_id: ContactId | None,
    now: datetime,
) -> BookingRow:
    """Add a booking that was not made in TimeRex: by phone, at the counter.

    Args:
        tx: Open transaction.
        editor: Who edits.
        entry: Needs at least the times and the time zone.
        contact_id: The guest; None: resolved by the guest's e-mail when the event is handled.
        now: The time.

    Raises:
        EntryError: A value is invalid, or the guest is missing.
    """
    booking = enter_booking(_blank(entry), entry)
    _check_guest(tx, editor, booking, contact_id)
    row = BookingRow(booking=booking, contact_id=contact_id, verified=True, origin="workspace")
    bookings.save_booking(tx, editor.connection, row)
    edit = Edit("booking", "added", booking.id, row.version, entry.model_fields_set)
    keep_track(tx, editor, edit, now)
    return row


def change_booking(
    tx: Connection,
    editor: Editor,
    booking_id: BookingId,
    entry: BookingEntry,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> BookingRow:
    """Change the fields in the entry of a booking made in the workspace.

    Raises:
        UnknownRecordError: There is no such booking.
        MadeInTimerexError: It was made in TimeRex.
        OtherVersionError: The row is at another version.
        EntryError: A value is invalid.
    """
    row = _own_booking(tx, editor, booking_id, versions)
    booking = enter_booking(row.booking, entry)
    if booking == row.booking:
        return row
    if row.contact_id is None:
        _check_guest(tx, editor, booking, None)
    changed = row.model_copy(update={"booking": booking, "version": row.version + 1})
    bookings.save_booking(tx, editor.connection, changed)
    edit = Edit("booking", "changed", booking_id, changed.version, entry.model_fields_set)
    keep_track(tx, editor, edit, now)
    return changed


def delete_booking(
    tx: Connection,
    editor: Editor,
    booking_id: BookingId,
    now: datetime,
    *,
    versions: Collection[int] | None,
) -> None:
    """Delete a booking made in the workspace. Its note in GHL then says "Cancelled".

    Raises:
        UnknownRecordError: There is no such booking.
        MadeInTimerexError: It was made in TimeRex.
        OtherVersionError: The row is at another version.
    """
    row = _own_booking(tx, editor, booking_id, versions)
    cancelled = row.booking.model_copy(update={"state": BookingState.CANCELLED})
    travels = cancelled != row.booking
    if travels:
        row = row.model_copy(update={"booking": cancelled, "version": row.version + 1})
        bookings.save_booking(tx, editor.connection, row)
    bookings.delete_booking(tx, editor.connection, booking_id)
    edit = Edit("booking", "deleted", booking_id, row.version)
    keep_track(tx, editor, edit, now, travels=travels)


def read_booking(tx: Connection, editor: Editor, booking_id: BookingId) -> BookingRow:
    """Read a booking of either origin.

    Raises:
        UnknownRecordError: There is no such booking.
    """
    row = bookings.get_booking(tx, editor.connection, booking_id)
    if row is None or row.deleted:
        raise UnknownRecordError(f"there is no booking {booking_id}")
    return row


def _check_guest(
    tx: Connection, editor: Editor, booking: Booking, contact_id: ContactId | None
) -> None:
    if contact_id is None:
        if email_key(booking.guest_email) is None:
            raise EntryError([FieldFault("guest_email", "is missing: enter it, or the contact_id")])
        return
    contact = workspace_contacts.get_contact(tx, editor.connection, contact_id)
    if contact is None or contact.deleted:
        raise EntryError([FieldFault("contact_id", "unknown contact: create it first")])


def _own_booking(
    tx: Connection, editor: Editor, booking_id: BookingId, versions: Collection[int] | None
) -> BookingRow:
    row = read_booking(tx, editor, booking_id)
    if row.origin != "workspace":
        raise MadeInTimerexError(
            f"booking {booking_id} was made in TimeRex: move or cancel it there"
        )
    check_version("booking", booking_id, row.version, versions)
    return row


def _blank(entry: BookingEntry) -> Booking:
    """Make a booking that has only its times."""
    if entry.starts_at is None or entry.ends_at is None or entry.timezone is None:
        raise EntryError(
            FieldFault(name, "is missing") for name in NEEDED if getattr(entry, name) is None
        )
    return Booking(
        id=BookingId(f"b_{secrets.token_hex(10)}"),
        state=BookingState.CONFIRMED,
        calendar_name="",
        calendar_id=None,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        timezone=entry.timezone,
        guest_name=None,
        guest_email=None,
        guest_company=None,
        guest_comment=None,
    )
