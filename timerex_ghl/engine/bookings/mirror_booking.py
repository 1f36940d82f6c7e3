"""The mirror of a booking in GHL: an appointment where its calendar is mapped, else a note."""

from timerex_ghl.domain.bookings.appointment_plan import map_calendar
from timerex_ghl.domain.bookings.booking_merge import head_of, join_chain
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.shared.models import Booking
from timerex_ghl.engine.bookings.appointment import mirror_in_appointment, recover_appointments
from timerex_ghl.engine.bookings.booking_note import mirror_in_note, recover_notes
from timerex_ghl.engine.bookings.mirror_state import MirrorState, reread_mirror
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.write import Claim


async def mirror_booking(
    context: SyncContext, claim: Claim, booking: Booking, mirror: MirrorState, owner: MirrorOwner
) -> int:
    """Create or update a booking's mirror in GHL; return the number of writes.

    A chain keeps the kind of mirror it has, even if its calendar is mapped otherwise later.

    Args:
        context: The connection's clients, ledger and settings.
        claim: The claim on the guest, under which the mirror was read.
        booking: The booking.
        mirror: What the ledger knows of its mirrors.
        owner: The guest's contact.
    """
    is_mapped = _is_mapped(context, mirror)
    is_new = not mirror.has_note and not mirror.has_appointment
    wants_appointment = mirror.has_appointment or (is_new and is_mapped)
    wants_note = mirror.has_note or (is_new and not is_mapped)
    if mirror.unknown:
        await recover_appointments(context, mirror.unknown_appointments)
        await recover_notes(context, mirror.unknown_notes)
        mirror = await context.ledger.read(
            reread_mirror, context.connection, booking, claim.record_key
        )
    written = 0
    if wants_appointment:
        written += await mirror_in_appointment(context, claim, mirror, owner.ghl_id)
    if wants_note:
        written += await mirror_in_note(context, claim, mirror, owner)
    return written


def _is_mapped(context: SyncContext, mirror: MirrorState) -> bool:
    head = head_of(join_chain(mirror.chain))
    return map_calendar(head, context.settings.appointments.calendars) is not None
