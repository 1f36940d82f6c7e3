"""What waits in the inbox reaches the other side: bookings, and whatever else was told."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.bookings import handle_events, list_event_batches
from tasks.reports import at_work, ended
from timerex_ghl.domain.models import ConnectionName, EventId
from timerex_ghl.engine.outcome import Counts


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
    """Carry what waits in the inbox: bookings to the CRM, hints from GHL, and edits of ours.

    Args:
        connection: Name of a published connection.
        event_ids: Inbox events to carry, whatever became of them before: the replay button.
            Empty: all that wait, save what a live worker is about to carry.
    """
    async with at_work(connection, "booking-to-crm", alone=False) as job:
        counts = Counts()
        for batch in await list_event_batches(connection, event_ids or None):
            counts += await handle_events(connection, batch, replay=bool(event_ids))
        return await ended(job, counts)
