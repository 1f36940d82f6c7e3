"""Bookings reach the CRM."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.bookings import carry_bookings, list_event_batches
from tasks.reports import at_work, ended
from timerex_ghl.carry.outcome import Counts
from timerex_ghl.sync.models import ConnectionName, EventId


def name_run() -> str:
    """Name a run by its connection and first event."""
    parameters = flow_run.parameters
    event_ids = parameters.get("event_ids") or ["all that wait"]
    more = f" and {len(event_ids) - 1} more" if len(event_ids) > 1 else ""
    return f"{parameters.get('connection')} {event_ids[0]}{more}"


@flow(name="booking-to-crm", flow_run_name=name_run)
async def booking_to_crm(
    connection: ConnectionName, event_ids: list[EventId] | None = None
) -> State[None]:
    """Bring bookings to the CRM: contact, tags, and a note that follows the booking.

    Args:
        connection: Name of a published connection.
        event_ids: Inbox events to carry, whatever became of them before: the replay button.
            Empty: all that wait.
    """
    async with at_work(connection, "booking-to-crm", alone=False) as job:
        counts = Counts()
        for batch in await list_event_batches(connection, event_ids or None):
            counts += await carry_bookings(connection, batch, replay=bool(event_ids))
        return await ended(job, counts)
