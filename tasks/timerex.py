"""Task that polls TimeRex for bookings its webhooks did not report."""

from datetime import timedelta

from prefect import task

from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.bookings.poll_bookings import SPARE, Polling, poll
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.run_policy import RETRIES
from timerex_ghl.orchestration.run_reports import lacks_timerex

RUN = timedelta(minutes=4)
"""How long a run continues a scan: it ends before the usual schedule starts the next run."""


@task(**RETRIES, task_run_name="{connection} poll")
async def poll_bookings(connection: ConnectionName) -> Polling:
    """Continue the scan of TimeRex's calendars until it is done or the call budget is used.

    Safe to repeat: the cursor is saved after every page, and nothing is stored twice.
    """
    async with opened(connection) as context:
        if context.timerex is None:
            raise SettingsError(lacks_timerex(connection))
        return await poll(context, context.timerex.sparing(SPARE), context.now() + RUN)
