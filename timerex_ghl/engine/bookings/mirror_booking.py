"""The mirror of a booking in GHL: an appointment where its calendar is mapped, else a note."""

from timerex_ghl.domain.bookings.appointment_plan import map_calendar
from timerex_ghl.domain.bookings.booking_merge import head_of, join_chain
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.bookings.note_text import render_moment
from timerex_ghl.domain.shared.errors import SkippableError, SlotRefusedError
from timerex_ghl.domain.shared.models import Booking, BookingState
from timerex_ghl.engine.bookings.appointment import mirror_in_appointment, recover_appointments
from timerex_ghl.engine.bookings.booking_note import mirror_in_note, recover_notes
from timerex_ghl.engine.bookings.mirror_state import MirrorState, reread_mirror
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.write import Claim


async def mirror_booking(
    context: SyncContext, claim: Claim, booking: Booking, mirror: MirrorState, owner: MirrorOwner
) -> int:
    """Create or update a booking's mirror in GHL; return the number of writes.

    A chain keeps the kind of mirror it has, even if its calendar is mapped otherwise later. Where
    GHL refuses an appointment, a note shows the booking until the appointment is possible.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the guest, under which the mirror was read.
        booking: The booking.
        mirror: What the ledger knows of its mirrors.
        owner: The guest's contact.

    Raises:
        SkippableError: GHL refused the appointment. The note is written.
    """
    if mirror.unknown:
        await recover_appointments(context, mirror.unknown_appointments)
        await recover_notes(context, mirror.unknown_notes)
        mirror = await context.ledger.read(
            reread_mirror, context.connection, booking, claim.record_key
        )
    wants_appointment = _wants_appointment(context, mirror)
    written = 0
    if wants_appointment:
        try:
            written += await mirror_in_appointment(context, claim, mirror, owner.ghl_id)
        except SkippableError as refused:
            await mirror_in_note(context, claim, mirror, owner, stands_in=True)
            raise _in_words(refused, mirror) from refused
    if mirror.notes or not wants_appointment:
        written += await mirror_in_note(context, claim, mirror, owner)
    return written


def _wants_appointment(context: SyncContext, mirror: MirrorState) -> bool:
    """Return whether the chain has an appointment, or should get one."""
    if mirror.appointments:
        return True
    head = head_of(join_chain(mirror.chain))
    is_free = not mirror.notes or (mirror.stands_in and head.state is BookingState.CONFIRMED)
    return is_free and map_calendar(head, context.settings.appointments.calendars) is not None


def _in_words(refused: SkippableError, mirror: MirrorState) -> SkippableError:
    """Say what a person can do about a refused time."""
    if not isinstance(refused, SlotRefusedError):
        return refused
    head = head_of(join_chain(mirror.chain))
    return SlotRefusedError(
        f"GHL refused the time {render_moment(head.starts_at, head.timezone)} of booking {head.id}:"
        " the slot is taken, or the calendar is closed then. A note shows the booking meanwhile;"
        " free the time in GHL, or publish with ignore_slots switched on, then retry"
    )
