"""Tasks that list and process pending inbox events."""

from functools import partial

from prefect import task

from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.backlog import list_backlog
from timerex_ghl.engine.process import process_event
from timerex_ghl.engine.router import handle_inbox_event
from timerex_ghl.orchestration.batches import at_once, batches_of, each, resolved
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.run_policy import RETRIES

BATCH = 100
"""Events one task run processes."""


@task(**RETRIES, task_run_name="{connection} events")
async def list_event_batches(
    connection: ConnectionName, event_ids: list[EventId] | None
) -> list[list[EventId]]:
    """List the events to process, in batches: the named ones, or all pending ones.

    If a live worker runs, events that just arrived are not listed: it processes them.

    Raises:
        SettingsError: An id is not in this connection's inbox.
    """
    async with opened(connection) as context:
        if event_ids is None:
            due = await list_backlog(context)
        else:
            due = list(dict.fromkeys(event_ids))
            known = await context.ledger.read(inbox_lookups.known_events, connection, due)
            unknown = [event_id for event_id in due if event_id not in known]
            if unknown:
                raise SettingsError(
                    f"no such event in the inbox of {connection}: {', '.join(unknown[:5])}"
                )
    return batches_of(due, BATCH)


@task(**RETRIES, task_run_name="{connection} events")
async def handle_events(
    connection: ConnectionName, event_ids: list[EventId], *, replay: bool
) -> Counts:
    """Process events. Safe to repeat: what is in sync is not written again."""
    async with opened(connection) as context:
        handle = partial(process_event, context, handle_inbox_event, replay=replay)
        return resolved(await each(handle, event_ids, at_once(context)))
