"""What the ledger knows of a booking's mirrors in GHL."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.appointment_fields import CONTACT, AppointmentState
from timerex_ghl.domain.bookings.booking_notes import NoteState
from timerex_ghl.domain.shared.actions import (
    Action,
    AppointmentAction,
    NoteAction,
)
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    ConnectionName,
    FieldName,
    GhlContactId,
    GhlNoteId,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.writes.recovery import ACTION

TEXT, NOTE_CONTACT = FieldName("text"), FieldName("contact")
STANDS_IN = FieldName("stands_in")
"""Base field of a note in place of an appointment that GHL refused."""


class MirrorState(NamedTuple):
    """A booking's chain, and its mirrors.

    Attributes:
        chain: The booking, and those it was moved from and to.
        unknown: Writes about the contact whose outcome is unknown.
    """

    chain: list[Booking]
    notes: dict[BookingId, NoteState]
    appointments: dict[BookingId, AppointmentState]
    unknown: list[tuple[Intent, Action]]

    @property
    def unknown_notes(self) -> list[tuple[Intent, NoteAction]]:
        """Return the unknown writes of notes."""
        return [
            (intent, action) for intent, action in self.unknown if isinstance(action, NoteAction)
        ]

    @property
    def unknown_appointments(self) -> list[tuple[Intent, AppointmentAction]]:
        """Return the unknown writes of appointments."""
        return [
            (intent, action)
            for intent, action in self.unknown
            if isinstance(action, AppointmentAction)
        ]

    @property
    def stands_in(self) -> bool:
        """Return whether a note shows the booking in place of a refused appointment."""
        return any(note.stands_in for note in self.notes.values())


def read_mirror(
    tx: Connection, connection: ConnectionName, booking: Booking, unknown: Iterable[Intent]
) -> MirrorState:
    """Read the mirrors of a booking. `unknown` are its contact's open intents."""
    chain = [row.booking for row in bookings.get_chain(tx, connection, booking)]
    ids = [one.id for one in chain]
    notes = links.links_of_locals(tx, connection, "booking-note", ids)
    appointments = links.links_of_locals(tx, connection, "appointment", ids)
    return MirrorState(
        chain,
        {BookingId(local_id): _note_of(link) for local_id, link in notes.items()},
        {BookingId(local_id): appointment_of(link) for local_id, link in appointments.items()},
        [(intent, ACTION.validate_json(intent.payload)) for intent in unknown],
    )


def reread_mirror(
    tx: Connection, connection: ConnectionName, booking: Booking, record_key: RecordRef
) -> MirrorState:
    """Read the mirrors again, after unknown writes about `record_key` were recovered."""
    unknown = intents.open_intents(tx, connection, [record_key])
    return read_mirror(tx, connection, booking, unknown)


def appointment_of(link: Link) -> AppointmentState:
    """Read an appointment's state from its link."""
    base = {
        field: value
        for field, value in (link.base.values if link.base else {}).items()
        if isinstance(value, str)
    }
    return AppointmentState(
        id=GhlAppointmentId(link.remote_id),
        contact_id=GhlContactId(base.get(CONTACT, "")),
        base=base,
    )


def _note_of(link: Link) -> NoteState:
    """Read a note's state from its link: the base has the text both sides last agreed on."""
    values = link.base.values if link.base else {}
    text, contact = values.get(TEXT), values.get(NOTE_CONTACT)
    return NoteState(
        id=GhlNoteId(link.remote_id),
        contact_id=GhlContactId(contact if isinstance(contact, str) else ""),
        text=text if isinstance(text, str) else None,
        stands_in=STANDS_IN in values,
    )
