"""The mirror of a booking in GHL: an appointment where its calendar is mapped, else a note."""

from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.domain.bookings.appointment_plan import map_calendar
from timerex_ghl.domain.bookings.booking_merge import head_of, join_chain
from timerex_ghl.domain.shared.actions import CreateAppointment, CreateNote
from timerex_ghl.domain.shared.models import Booking, ConnectionName, GhlContactId
from timerex_ghl.engine.bookings.appointment import mirror_in_appointment
from timerex_ghl.engine.bookings.booking_note import mirror_in_note
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION
from timerex_ghl.engine.writes.write import Claim


class _Mirrors(NamedTuple):
    """The mirrors that a booking's chain has in GHL, or may have where an outcome is unknown."""

    note: bool
    appointment: bool


async def mirror_booking(
    context: SyncContext, claim: Claim, booking: Booking, ghl_id: GhlContactId
) -> int:
    """Create or update a booking's mirror in GHL; return the number of writes.

    A chain keeps the kind of mirror it has, even if its calendar is mapped otherwise later.
    """
    wants = await context.ledger.read(_wanted, context, claim, booking)
    written = 0
    if wants.appointment:
        written += await mirror_in_appointment(context, claim, booking, ghl_id)
    if wants.note:
        written += await mirror_in_note(context, claim, booking, ghl_id)
    return written


def _wanted(tx: Connection, context: SyncContext, claim: Claim, booking: Booking) -> _Mirrors:
    chain = join_chain([row.booking for row in bookings.get_chain(tx, context.connection, booking)])
    has = _existing(tx, context.connection, claim, chain)
    if has.note or has.appointment:
        return has
    calendar_id = map_calendar(head_of(chain), context.settings.appointments.calendars)
    return _Mirrors(note=calendar_id is None, appointment=calendar_id is not None)


def _existing(
    tx: Connection, connection: ConnectionName, claim: Claim, chain: tuple[Booking, ...]
) -> _Mirrors:
    ids = [row.id for row in chain]
    sent = [
        ACTION.validate_json(intent.payload)
        for intent in intents.open_intents(tx, connection, [claim.record_key])
    ]
    return _Mirrors(
        note=bool(links.links_of_locals(tx, connection, "booking-note", ids))
        or any(isinstance(one, CreateNote) and one.booking_id in ids for one in sent),
        appointment=bool(links.links_of_locals(tx, connection, "appointment", ids))
        or any(isinstance(one, CreateAppointment) and one.booking_id in ids for one in sent),
    )
