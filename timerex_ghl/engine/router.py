"""Route an inbox event to the handler of its record."""

from functools import partial
from typing import assert_never

from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxEvent
from timerex_ghl.domain.activities.activity_fields import ActivityId, ActivityKey
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import BookingId, ContactId, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.activity_inbound import handle_activity_notification
from timerex_ghl.engine.activities.handle_activity import handle_activity
from timerex_ghl.engine.bookings.appointment_inbound import look_at_appointment
from timerex_ghl.engine.bookings.handle_booking import handle_booking, handle_edited_booking
from timerex_ghl.engine.bookings.lost_move import handle_lost_move
from timerex_ghl.engine.bookings.pending_moves import MOVE_CHECK
from timerex_ghl.engine.contacts.contact_inbound import handle_contact_notification
from timerex_ghl.engine.contacts.follow_merge import following_merges
from timerex_ghl.engine.contacts.handle_contact import handle_contact
from timerex_ghl.engine.context import SyncContext

UNINSTALLED = "UNINSTALL"


async def handle_inbox_event(context: SyncContext, event: InboxEvent) -> Outcome:
    """Bring the workspace and GHL in sync with an event, whatever its source."""
    return await following_merges(context, partial(_handle, context, event))


async def _handle(context: SyncContext, event: InboxEvent) -> Outcome:
    match event.source:
        case "timerex":
            return await handle_booking(context, event)
        case "ghl":
            return await _handle_notification(context, event)
        case "workspace":
            return await _handle_edit(context, event)
        case _:
            assert_never(event.source)


async def _handle_notification(context: SyncContext, event: InboxEvent) -> Outcome:
    """Handle a GHL notification: the record may have changed, so it is read back.

    Raises:
        CredentialsError: The app is no longer installed. All notifications stay pending.
    """
    if event.type == UNINSTALLED:
        await context.ghl.auth.check_install()  # the event may predate the current install
        return Outcome(what="no-op")
    match event.record:
        case RecordRef("ghl", ghl_id):
            return await handle_contact_notification(context, event, GhlContactId(ghl_id))
        case RecordRef("ghl-note"):
            return await handle_activity_notification(context, event, "note")
        case RecordRef("ghl-task"):
            return await handle_activity_notification(context, event, "task")
        case RecordRef("ghl-appointment", appointment_id):
            return await look_at_appointment(context, GhlAppointmentId(appointment_id))
        case _:
            return Outcome(what="ignored")


async def _handle_edit(context: SyncContext, event: InboxEvent) -> Outcome:
    """Handle a local edit, or a check. The row as it is now counts, not the event's body."""
    match event.record:
        case RecordRef("contact", record_id):
            return await handle_contact(context, ContactId(record_id), asks=True)
        case RecordRef("note" | "task" as kind, record_id):
            return await handle_activity(context, ActivityKey(kind, ActivityId(record_id)))
        case RecordRef("booking", record_id) if event.type == MOVE_CHECK:
            return await handle_lost_move(context, BookingId(record_id))
        case RecordRef("booking", record_id):
            return await handle_edited_booking(context, BookingId(record_id))
        case _:
            return Outcome(what="ignored")
