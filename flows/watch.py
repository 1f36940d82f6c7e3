"""Somebody looks after every connection: what waits, stays away, runs out or was ended."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.warning import warn_in_time
from tasks.watching import (
    forget_what_is_old,
    report_late_events,
    report_silent_webhooks,
)


@flow(name="watch")
async def watch(older_than_minutes: float = 15) -> State[None]:
    """Look after every connection; tell as events of Prefect what somebody should know.

    That is: events that wait too long; webhooks that fell silent; calls of the day that run out;
    tokens that were ended. What ended long ago is forgotten.

    Args:
        older_than_minutes: How long the oldest event of a connection may wait.
    """
    late = await report_late_events(timedelta(minutes=older_than_minutes))
    silent = await report_silent_webhooks()
    warned = await warn_in_time()
    forgotten = await forget_what_is_old()
    said = [
        f"late: {', '.join(late)}" if late else "nothing waits too long",
        *([f"webhooks are silent: {', '.join(silent)}"] if silent else []),
        *([f"warned: {', '.join(warned)}"] if warned else []),
        *([f"{forgotten} old events forgotten"] if forgotten else []),
    ]
    return Completed(message="; ".join(said))
