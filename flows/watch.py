"""Somebody looks whether events wait too long."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.watching import tell_what_waits_too_long


@flow(name="watch")
async def watch(older_than_minutes: float = 15) -> State[None]:
    """Look whether events of any connection wait too long, and tell it as an event of Prefect.

    Args:
        older_than_minutes: How long the oldest event may wait.
    """
    late = await tell_what_waits_too_long(timedelta(minutes=older_than_minutes))
    return Completed(message=f"late: {', '.join(late)}" if late else "nothing waits too long")
