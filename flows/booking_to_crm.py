"""Flow that processes pending inbox events: bookings, GHL notifications and local edits."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from tasks.bookings import handle_events, list_event_batches
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.orchestration.run_reports import at_work, ended, skipped


def name_run() -> str:
    """Name a run by its connection and first event."""
    parameters = flow_run.parameters
    event_ids = parameters.get("event_ids") or ["all pending"]
    more = f" and {len(event_ids) - 1} more" if len(event_ids) > 1 else ""
    return f"{parameters.get('connection')} {event_ids[0]}{more}"


@flow(name="booking-to-crm", flow_run_name=name_run)
async def booking_to_crm(
    connection: ConnectionName, event_ids: list[EventId] | None = None
) -> State[None]:
    """Process pending inbox events: bookings, GHL notifications and workspace edits.

    Args:
        connection: Name of a published connection.
        event_ids: Inbox events to replay, whatever state they ended in. Empty: all pending
            events, except those that a live worker is about to process.
    """
    async with at_work(connection, "booking-to-crm", alone=False) as job:
        if job.obstacle is not None:
            return skipped(job)
        counts = Counts()
        for batch in await list_event_batches(connection, event_ids or None):
            counts += await handle_events(connection, batch, replay=bool(event_ids))
        return await ended(job, counts)
