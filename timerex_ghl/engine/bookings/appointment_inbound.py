"""The handler of an appointment that may have changed in GHL.

A notification or a sweep names it. A cancel or a delete in GHL may cancel its booking.
"""

from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.operations import GET_APPOINTMENT
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.bookings.appointment_fields import AppointmentState
from timerex_ghl.domain.bookings.appointment_notifications import (
    NotificationPlan,
    plan_appointment_notification,
)
from timerex_ghl.domain.bookings.booking_entry import BookingEntry
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import (
    BookingId,
    BookingRow,
    ConnectionName,
    ContactId,
    FieldName,
)
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.dry_run import NOTHING, show_new
from timerex_ghl.engine.bookings.appointment import save_base
from timerex_ghl.engine.bookings.appointment_calls import look_again
from timerex_ghl.engine.bookings.cancel_booking import cancel_in_timerex
from timerex_ghl.engine.bookings.mirror_state import appointment_of
from timerex_ghl.engine.contacts.claim_contact import claim_contact
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.write import Claim
from timerex_ghl.workspace import booking_edits
from timerex_ghl.workspace.edits import Editor

BOOKING = FieldName("booking")
"""Field of a dry-run plan that says what would become of the booking."""

Way = Literal["cancelled here", "cancelled in TimeRex", "left alone"]
"""What became of the booking of an appointment that was cancelled in GHL."""


class _Pair(NamedTuple):
    """A booking and its appointment."""

    row: BookingRow
    contact_id: ContactId
    state: AppointmentState


async def look_at_appointment(
    context: SyncContext, appointment_id: GhlAppointmentId, *, dry_run: bool = False
) -> Outcome:
    """Read an appointment and update its booking. One that was made in GHL is ignored.

    Our own writes come back as notifications, too: each costs one read and no write.

    Args:
        context: The connection's clients, ledger and settings.
        appointment_id: The appointment.
        dry_run: Store the plan, write nothing.
    """
    pair = await context.ledger.read(_read, context.connection, appointment_id)
    if pair is None:
        return Outcome(what="ignored")
    async with claim_contact(context, pair.contact_id) as claimed:
        pair = await context.ledger.read(_read, context.connection, appointment_id)
        if claimed is None or pair is None:
            return Outcome(what="no-op")
        return await _look(context, claimed.claim, pair, dry_run=dry_run)


async def _look(context: SyncContext, claim: Claim, pair: _Pair, *, dry_run: bool) -> Outcome:
    refusal = context.ghl.refusal_of(GET_APPOINTMENT.name)
    if refusal is not None:
        raise refusal
    state = await look_again(context.ghl, pair.state)
    plan = plan_appointment_notification(pair.row.booking, state, context.now())
    way = _way_of(context, pair.row) if plan.cancels else None
    if dry_run:
        return await _show(context, state, plan, way)
    if way == "cancelled in TimeRex" and context.timerex is not None:
        await cancel_in_timerex(context, context.timerex, claim, pair.row.booking)
    if plan.base != state.base:
        await context.ledger.write(_commit, context, pair.row, plan, way)
    return Outcome(
        what="no-op" if plan.base == state.base else "applied",
        contact_id=state.contact_id,
        detail={
            "booking": pair.row.booking.id,
            "status": state.status,
            **({"booking_was": way} if way else {}),
            **({"moved_in_ghl": "left alone"} if plan.is_moved else {}),
        },
    )


async def _show(
    context: SyncContext, state: AppointmentState, plan: NotificationPlan, way: Way | None
) -> Outcome:
    """Store a plan: what would be saved of GHL's values, and what would become of the booking."""
    if plan.base == state.base:
        return NOTHING
    values = {field: text for field, text in plan.base.items() if state.base.get(field) != text}
    shown = {**values, **({BOOKING: way} if way else {})}
    return await show_new(context, RecordRef("ghl-appointment", state.id), shown)


def _way_of(context: SyncContext, row: BookingRow) -> Way:
    if not context.settings.appointments.cancels_in_timerex:
        return "left alone"
    if row.origin == "workspace":
        return "cancelled here"
    return "left alone" if context.timerex is None else "cancelled in TimeRex"


def _read(
    tx: Connection, connection: ConnectionName, appointment_id: GhlAppointmentId
) -> _Pair | None:
    link = links.link_of_remote(tx, connection, "appointment", appointment_id)
    if link is None:
        return None
    row = bookings.get_booking(tx, connection, BookingId(link.local_id))
    if row is None or row.contact_id is None:
        return None
    return _Pair(row, row.contact_id, appointment_of(link))


def _commit(
    tx: Connection, context: SyncContext, row: BookingRow, plan: NotificationPlan, way: Way | None
) -> None:
    """Save GHL's status. A booking made in the workspace is cancelled in the same unit of work."""
    save_base(tx, context.connection, row.booking.id, plan.base)
    if way == "cancelled here":
        booking_edits.change_booking(
            tx,
            Editor(context.settings, "ghl"),
            row.booking.id,
            BookingEntry(state="cancelled"),
            context.now(),
            versions=None,
        )
