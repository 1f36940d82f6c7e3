"""TimeRex: polled for what its webhooks did not tell."""

from datetime import timedelta

from prefect import task
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.opened import opened
from tasks.policy import RETRIES
from tasks.reports import Job
from timerex_ghl.domain.errors import SettingsError
from timerex_ghl.domain.models import ConnectionName
from timerex_ghl.engine.polling import SPARE, Polling, poll

RUN = timedelta(minutes=4)
"""How long a run goes on with a scan: it ends before the usual schedule starts the next one."""


@task(**RETRIES, task_run_name="{connection} poll")
async def poll_bookings(connection: ConnectionName) -> Polling:
    """Go on with the scan of TimeRex's calendars, until it is over or no call is left.

    Safe to repeat: its place is saved after every page, and nothing is stored twice.
    """
    async with opened(connection) as context:
        if context.timerex is None:
            raise SettingsError(_lacks(connection))
        return await poll(context, context.timerex.sparing(SPARE), context.now() + RUN)


def polled(polling: Polling) -> State[None]:
    """End a run of the poll."""
    found, stopped = polling
    goes_on = f"; {stopped}, the next run goes on from here" if stopped else ""
    name = "NeedsReview" if found.unknown else "Completed"
    return Completed(name=name, message=f"{found.in_words()}{goes_on}")


def without_credentials(job: Job) -> State[None]:
    """End a run that may not ask TimeRex."""
    return Completed(name="Skipped", message=_lacks(job.context.connection))


def _lacks(connection: ConnectionName) -> str:
    return (
        "nothing to ask TimeRex with: enter an API key in the TimeRex Credentials block of"
        f" {connection} and publish it again; until then only webhooks tell of bookings"
    )
