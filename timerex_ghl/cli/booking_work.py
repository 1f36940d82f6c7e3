"""Workspace edits and queries of `timerex-ghl bookings`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from timerex_ghl.cli.records import entered, line_with, say_pages, say_version
from timerex_ghl.cli.workspace import Where

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from timerex_ghl.domain.bookings.booking_entry import BookingEntry
    from timerex_ghl.workspace.booking_views import BookingView
    from timerex_ghl.workspace.edits import Editor

MADE = {"timerex": "made in TimeRex", "workspace": "made in the workspace"}


def add(contact: str | None, entry: "BookingEntry", where: Where) -> None:
    """Add a booking; without a contact, the guest's e-mail finds one."""
    from timerex_ghl.domain.shared.models import ContactId
    from timerex_ghl.workspace.booking_edits import add_booking
    from timerex_ghl.workspace.booking_views import view_of

    guest = None if contact is None else ContactId(contact)

    def edit(tx: "Connection", editor: "Editor", now: "datetime") -> "BookingView":
        return view_of(tx, editor.connection, add_booking(tx, editor, entry, guest, now))

    say_version(where.write(edit), where)


def change(id_: str, entry: "BookingEntry", where: Where) -> None:
    """Change the fields set in the entry, whatever the booking's version."""
    from timerex_ghl.domain.shared.models import BookingId
    from timerex_ghl.workspace.booking_edits import change_booking
    from timerex_ghl.workspace.booking_views import view_of

    def edit(tx: "Connection", editor: "Editor", now: "datetime") -> "BookingView":
        row = change_booking(tx, editor, BookingId(id_), entry, now, versions=None)
        return view_of(tx, editor.connection, row)

    say_version(where.write(edit), where)


def delete(tx: "Connection", editor: "Editor", id_: str, now: "datetime") -> None:
    """Delete a booking, whatever its version."""
    from timerex_ghl.domain.shared.models import BookingId
    from timerex_ghl.workspace.booking_edits import delete_booking

    delete_booking(tx, editor, BookingId(id_), now, versions=None)


def read(tx: "Connection", editor: "Editor", id_: str) -> "BookingView":
    """Read a booking."""
    from timerex_ghl.domain.shared.models import BookingId
    from timerex_ghl.workspace.booking_edits import read_booking
    from timerex_ghl.workspace.booking_views import view_of

    return view_of(tx, editor.connection, read_booking(tx, editor, BookingId(id_)))


def say_list(typed: Mapping[str, str | None], where: Where) -> None:
    """Print the matching bookings, page by page."""
    from timerex_ghl.adapters.ledger.tables.bookings import (
        BookingFilter,
        BookingPosition,
        list_bookings,
    )
    from timerex_ghl.workspace.booking_views import BookingQuery, views_of

    query = entered(BookingQuery, typed)
    wanted = BookingFilter(query.starts_from, query.starts_before, query.contact_id, query.state)

    def page(tx: "Connection", editor: "Editor", last: "BookingView | None") -> "list[BookingView]":
        after = None if last is None else BookingPosition(last.starts_at, last.id)
        return views_of(tx, editor.connection, list_bookings(tx, editor.connection, wanted, after))

    say_pages("booking", where, page, _line_of)


def _line_of(view: "BookingView") -> str:
    """Format a booking as one line: id, version, start, state, origin, contact, calendar."""
    return line_with(
        view.id,
        f"v{view.version}",
        f"{view.starts_at:%Y-%m-%d %H:%M} UTC",
        view.state,
        MADE[view.origin],
        view.contact_id or "no contact yet",
        text=view.calendar_name,
    )
