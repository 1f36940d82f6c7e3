"""A booking as the API writes and reads it."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import links
from timerex_ghl.adapters.ledger.bookings import BookingRow, Origin
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.domain.appointment_fields import STATUS
from timerex_ghl.domain.booking_entry import NEEDED, BookingEntry, When
from timerex_ghl.domain.models import Booking, BookingState, ConnectionName, ContactId
from timerex_ghl.gateway.api.pages import PageQuery

PersonId = Annotated[ContactId, Field(pattern=r"^[!-~]{1,128}$")]


class BookingDraft(BookingEntry):
    """A booking made elsewhere than in TimeRex. Its guest: `contact_id`, or `guest_email`."""

    model_config = ConfigDict(json_schema_extra={"required": [*NEEDED]})

    contact_id: PersonId | None = Field(None, description="The guest, for good.")


class BookingView(Booking):
    """A booking of the workspace.

    Attributes:
        origin: `timerex`: it can be read here, and is moved or cancelled in TimeRex.
        contact_id: The guest; null until they are recognised.
        verified: False where TimeRex has not confirmed yet what its webhook told.
        appointment_id: In GHL's calendar; null where a note tells of the booking.
        appointment_status: What GHL last said of it: whether the guest came, for example.
    """

    origin: Origin
    version: int
    contact_id: ContactId | None
    verified: bool
    appointment_id: str | None
    appointment_status: str | None


class BookingQuery(PageQuery):
    """Which bookings to list."""

    starts_from: When | None = Field(None, description="From this time on.")
    starts_before: When | None = Field(None, description="Before this time.")
    contact_id: PersonId | None = None
    state: BookingState | None = None


def views_of(
    tx: Connection, connection: ConnectionName, rows: Sequence[BookingRow]
) -> list[BookingView]:
    """Show bookings, with their appointments."""
    ids = [row.booking.id for row in rows]
    linked = links.links_of_locals(tx, connection, "appointment", ids)
    return [_view_of(row, linked.get(row.booking.id)) for row in rows]


def view_of(tx: Connection, connection: ConnectionName, row: BookingRow) -> BookingView:
    """Show a booking, with its appointment."""
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
