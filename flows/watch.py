"""Flow that monitors every connection and removes old events."""

from datetime import timedelta
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from tasks.warning import warn_in_time
from tasks.watching import (
    forget_what_is_old,
    report_late_events,
    report_outages,
    report_silent_webhooks,
)
from timerex_ghl.adapters.ledger.tables.housekeeping import HISTORY

HistoryDays = Annotated[int, Field(ge=35, le=3650)]
"""No shorter than the events are kept that it belongs to."""


@flow(name="watch")
async def watch(
    older_than_minutes: float = 15, history_days: HistoryDays = HISTORY.days
) -> State[None]:
    """Monitor every connection, and emit Prefect events for what operators should know.

    Reports services that do not answer, events that are pending for too long, silent webhooks, a
    daily call budget that runs low, and revoked tokens. Deletes events that finished 35 days ago,
    and older history.

    Args:
        older_than_minutes: How long the oldest event of a connection may be pending.
        history_days: How long finished writes, answered reviews and plans of dry runs are kept.
    """
    down = await report_outages()
    late = await report_late_events(timedelta(minutes=older_than_minutes))
    silent = await report_silent_webhooks()
    warned = await warn_in_time()
    forgotten = await forget_what_is_old(timedelta(days=history_days))
    said = [
        f"late: {', '.join(late)}" if late else "no event is late",
        *([f"a service does not answer: {', '.join(down)}"] if down else []),
        *([f"webhooks are silent: {', '.join(silent)}"] if silent else []),
        *([f"warned: {', '.join(warned)}"] if warned else []),
        *([f"{forgotten} old events deleted"] if forgotten else []),
    ]
    return Completed(message="; ".join(said))
