"""Somebody looks whether events wait too long, calls run out, or tokens were ended."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.warning import warn_in_time
from tasks.watching import tell_what_waits_too_long


@flow(name="watch")
async def watch(older_than_minutes: float = 15) -> State[None]:
    """Look after every connection, and tell as events of Prefect what somebody should know.

    That is: events that wait too long; calls of the day that run out; tokens that were ended.

    Args:
        older_than_minutes: How long the oldest event may wait.
    """
    late = await tell_what_waits_too_long(timedelta(minutes=older_than_minutes))
    warned = await warn_in_time()
    said = f"late: {', '.join(late)}" if late else "nothing waits too long"
    return Completed(message=f"{said}; warned: {', '.join(warned)}" if warned else said)
