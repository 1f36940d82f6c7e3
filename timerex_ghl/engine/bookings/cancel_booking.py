"""Cancel a booking in TimeRex. Its webhook, or a poll, then reports the change as any other."""

from functools import partial

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.domain.shared.actions import CancelBooking
from timerex_ghl.domain.shared.errors import (
    FatalError,
    NotFoundError,
    RetryableError,
    SkippableError,
)
from timerex_ghl.domain.shared.models import Booking, BookingState, ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION, close
from timerex_ghl.engine.writes.write import Claim, commit_outcome, send_write

CANCELLED_THERE = "booking cancelled in TimeRex"
"""Name of the cancel in the audit."""


async def cancel_in_timerex(
    context: SyncContext, timerex: TimerexClient, claim: Claim, booking: Booking
) -> None:
    """Cancel a booking. One that TimeRex has cancelled already, or lacks, counts as cancelled.

    Raises:
        RetryableError: TimeRex cannot do it now. Other records of the connection go on.
    """
    for intent in await context.ledger.read(_unknown, context.connection, claim, booking):
        happened = await _is_over(timerex, booking)
        result_id = booking.id if happened else None
        await context.ledger.write(close, intent, result_id)
    action = CancelBooking(booking_id=booking.id)
    written = await send_write(context, claim, action, partial(_send, timerex, booking))
    await commit_outcome(context, written, partial(_commit, context))


async def _send(timerex: TimerexClient, booking: Booking) -> Booking:
    try:
        await timerex.cancel_event(booking.id)
    except FatalError as error:
        raise RetryableError(str(error)) from error
    except SkippableError:
        if not await _is_over(timerex, booking):
            raise
    return booking


async def _is_over(timerex: TimerexClient, booking: Booking) -> bool:
    try:
        remote = await timerex.get_event(booking.id)
    except NotFoundError:
        return True
    return remote.state is not BookingState.CONFIRMED


def _unknown(
    tx: Connection, connection: ConnectionName, claim: Claim, booking: Booking
) -> list[Intent]:
    wanted = CancelBooking(booking_id=booking.id)
    return [
        intent
        for intent in intents.open_intents(tx, connection, [claim.record_key])
        if ACTION.validate_json(intent.payload) == wanted
    ]


def _commit(context: SyncContext, tx: Connection, booking: Booking) -> None:
    audit.record(
        tx,
        connection=context.connection,
        what=CANCELLED_THERE,
        subject=RecordRef.booking(booking.id),
        run_id=context.run_id,
        detail={"because": "its appointment was cancelled in GHL"},
        now=context.now(),
        flow_run_id=context.flow_run_id,
    )
