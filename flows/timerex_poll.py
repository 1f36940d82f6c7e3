"""Flow that finds bookings whose webhook never arrived."""

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.timerex import poll_bookings
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.run_reports import at_work, polled, skipped, without_credentials


@flow(name="timerex-poll", flow_run_name="{connection}")
async def timerex_poll(connection: ConnectionName) -> State[None]:
    """Poll TimeRex for bookings that no webhook reported, and add them to the inbox.

    Covers one day ago to half a year ahead. They are processed like any other event.

    Args:
        connection: Name of a published connection.
    """
    async with at_work(connection, "timerex-poll", alone=True, needs="TimeRex") as job:
        if job.obstacle is not None:
            return skipped(job)
        if job.context.timerex is None:
            return without_credentials(job)
        return polled(await poll_bookings(connection))
