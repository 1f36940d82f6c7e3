"""Somebody looks whether events wait too long and webhooks stay away, and tidies up."""

from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.watching import (
    forget_what_is_old,
    tell_what_waits_too_long,
    tell_whose_webhooks_are_silent,
)


@flow(name="watch")
async def watch(older_than_minutes: float = 15) -> State[None]:
    """Look whether events wait too long or webhooks fell silent; forget what ended long ago.

    What is wrong is told as an event of Prefect: `timerex-ghl alerts` says to whom.

    Args:
        older_than_minutes: How long the oldest event of a connection may wait.
    """
    late = await tell_what_waits_too_long(timedelta(minutes=older_than_minutes))
    silent = await tell_whose_webhooks_are_silent()
    forgotten = await forget_what_is_old()
    said = [
        f"late: {', '.join(late)}" if late else "nothing waits too long",
        *([f"webhooks are silent: {', '.join(silent)}"] if silent else []),
        *([f"{forgotten} old events forgotten"] if forgotten else []),
    ]
    return Completed(message="; ".join(said))
