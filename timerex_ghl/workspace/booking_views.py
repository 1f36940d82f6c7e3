"""Bookings in the API's JSON."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.appointment_fields import STATUS
from timerex_ghl.domain.bookings.booking_entry import NEEDED, BookingEntry, When
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingOrigin,
    BookingRow,
    BookingState,
    ConnectionName,
    ContactId,
)
from timerex_ghl.workspace.page_query import PageQuery

PersonId = Annotated[ContactId, Field(pattern=r"^[!-~]{1,128}$")]


class BookingDraft(BookingEntry):
    """A booking not made in TimeRex. Its guest: `contact_id` or `guest_email`."""

    model_config = ConfigDict(json_schema_extra={"required": [*NEEDED]})

    contact_id: PersonId | None = Field(None, description="The guest. Never changes.")


class BookingView(Booking):
    """A booking of the workspace.

    Attributes:
        origin: `timerex`: read-only here; move or cancel it in TimeRex.
        contact_id: The guest; null until resolved.
        verified: False until TimeRex's API has confirmed the webhook.
        appointment_id: In GHL's calendar; null where the booking is mirrored as a note.
        appointment_status: GHL's last known status, for example whether the guest came.
    """

    origin: BookingOrigin
    version: int
    contact_id: ContactId | None
    verified: bool
    appointment_id: str | None
    appointment_status: str | None


class BookingQuery(PageQuery):
    """Filters of a list of bookings."""

    starts_from: When | None = Field(None, description="From this time on.")
    starts_before: When | None = Field(None, description="Before this time.")
    contact_id: PersonId | None = None
    state: BookingState | None = None


def views_of(
    tx: Connection, connection: ConnectionName, rows: Sequence[BookingRow]
) -> list[BookingView]:
    """Return the API's view of bookings, with their appointments."""
    ids = [row.booking.id for row in rows]
    linked = links.links_of_locals(tx, connection, "appointment", ids)
    return [_view_of(row, linked.get(row.booking.id)) for row in rows]


def view_of(tx: Connection, connection: ConnectionName, row: BookingRow) -> BookingView:
    """Return the API's view of a booking, with its appointment."""
    (view,) = views_of(tx, connection, [row])
    return view


def _view_of(row: BookingRow, link: Link | None) -> BookingView:
    base = link.base.values if link and link.base else {}
    return BookingView.model_validate(
        {
            **row.booking.model_dump(),
            "origin": row.origin,
            "version": row.version,
            "contact_id": row.contact_id,
            "verified": row.verified,
            "appointment_id": link.remote_id if link else None,
            "appointment_status": base.get(STATUS),
        }
    )
