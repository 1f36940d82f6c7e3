"""Live processing: a task run handles one event, or under load all pending ones."""

from functools import partial

from prefect import task
from prefect.logging import get_run_logger
from prefect.runtime import task_run

from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts, count
from timerex_ghl.engine.process import process_event
from timerex_ghl.engine.router import handle_inbox_event
from timerex_ghl.orchestration.batches import at_once, each
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.run_policy import RETRIES, TaskOptions

LIVE: TaskOptions = {**RETRIES, "retries": 0, "retry_delay_seconds": []}
"""A failed event returns to the ledger at once, so that it does not block a slot."""


def _name_task() -> str:
    """Name a task run by its connection and events."""
    event_ids = task_run.parameters.get("event_ids") or [""]
    more = f" and {len(event_ids) - 1} more" if len(event_ids) > 1 else ""
    return f"{task_run.parameters.get('connection')} {event_ids[0]}{more}"


@task(**LIVE, task_run_name=_name_task)
async def handle_live_events(connection: ConnectionName, event_ids: list[EventId]) -> Counts:
    """Process events. Safe to repeat: finished events are skipped, failed ones stay pending."""
    if len(event_ids) > 1:
        get_run_logger().info("processing %s", ", ".join(event_ids))
    async with opened(connection) as context:
        handle = partial(process_event, context, handle_inbox_event)
        return count(await each(handle, event_ids, at_once(context)))
