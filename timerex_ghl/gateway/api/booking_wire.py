"""A booking as the API writes and reads it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from timerex_ghl.adapters.ledger.bookings import BookingRow, Origin
from timerex_ghl.gateway.api.pages import PageQuery
from timerex_ghl.sync.booking_entry import NEEDED, BookingEntry, When
from timerex_ghl.sync.models import Booking, BookingState, ContactId

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
    """

    origin: Origin
    version: int
    contact_id: ContactId | None
    verified: bool


class BookingQuery(PageQuery):
    """Which bookings to list."""

    starts_from: When | None = Field(None, description="From this time on.")
    starts_before: When | None = Field(None, description="Before this time.")
    contact_id: PersonId | None = None
    state: BookingState | None = None


def view_of(row: BookingRow) -> BookingView:
    """Show a booking."""
    return BookingView.model_validate(
        {
            **row.booking.model_dump(),
            "origin": row.origin,
            "version": row.version,
            "contact_id": row.contact_id,
            "verified": row.verified,
        }
    )
