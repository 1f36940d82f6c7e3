"""Bookings: from the inbox to the CRM."""

from functools import partial

from prefect import task

from tasks.batch import at_once, each, settled
from tasks.opened import opened
from tasks.policy import RETRIES
from timerex_ghl.adapters.ledger import inbox
from timerex_ghl.carry.booking import carry_booking
from timerex_ghl.carry.outcome import Counts
from timerex_ghl.carry.record import carry_event
from timerex_ghl.carry.sides import utc_now
from timerex_ghl.sync.errors import SettingsError
from timerex_ghl.sync.models import ConnectionName, EventId

BATCH = 100
"""Events a task run takes."""


@task(**RETRIES, task_run_name="{connection} events")
async def list_event_batches(
    connection: ConnectionName, event_ids: list[EventId] | None
) -> list[list[EventId]]:
    """List the events to carry, in batches: the named ones, or all that wait.

    Raises:
        SettingsError: An id is not in this connection's inbox.
    """
    async with opened(connection) as sides:
        if event_ids is None:
            due = await sides.ledger.read(inbox.waiting_events, connection, utc_now(), 10_000)
        else:
            due = list(dict.fromkeys(event_ids))
            known = await sides.ledger.read(inbox.known_events, connection, due)
            unknown = [event_id for event_id in due if event_id not in known]
            if unknown:
                raise SettingsError(
                    f"no such event in the inbox of {connection}: {', '.join(unknown[:5])}"
                )
    return [due[start : start + BATCH] for start in range(0, len(due), BATCH)]


@task(**RETRIES, task_run_name="{connection} bookings")
async def carry_bookings(
    connection: ConnectionName, event_ids: list[EventId], *, replay: bool
) -> Counts:
    """Bring bookings to the CRM. Safe to repeat: what the CRM has already is not written again."""
    async with opened(connection) as sides:
        carry = partial(carry_event, sides, carry_booking, replay=replay)
        return settled(await each(carry, event_ids, at_once(sides)))
