"""Task that polls TimeRex for bookings its webhooks did not report."""

from datetime import timedelta

from prefect import task
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.opened import opened
from tasks.policy import RETRIES
from tasks.reports import Job
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.bookings.poll_bookings import SPARE, Polling, poll

RUN = timedelta(minutes=4)
"""How long a run continues a scan: it ends before the usual schedule starts the next run."""


@task(**RETRIES, task_run_name="{connection} poll")
async def poll_bookings(connection: ConnectionName) -> Polling:
    """Continue the scan of TimeRex's calendars until it is done or the call budget is used.

    Safe to repeat: the cursor is saved after every page, and nothing is stored twice.
    """
    async with opened(connection) as context:
        if context.timerex is None:
            raise SettingsError(_lacks(connection))
        return await poll(context, context.timerex.sparing(SPARE), context.now() + RUN)


def polled(polling: Polling) -> State[None]:
    """End a run of the poll."""
    found, stopped = polling
    goes_on = f"; {stopped}, the next run continues" if stopped else ""
    name = "NeedsReview" if found.unknown else "Completed"
    return Completed(name=name, message=f"{found.in_words()}{goes_on}")


def without_credentials(job: Job) -> State[None]:
    """End a run that has no TimeRex credentials."""
    return Completed(name="Skipped", message=_lacks(job.context.connection))


def _lacks(connection: ConnectionName) -> str:
    return (
        "no TimeRex credentials: enter an API key in the TimeRex Credentials block of"
        f" {connection} and publish it again; until then only webhooks report bookings"
    )
