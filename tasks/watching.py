"""Tasks of the flow `watch`: report late events and silent webhooks, delete old events."""

from datetime import timedelta

from prefect import task

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.housekeeping import forget_history
from timerex_ghl.adapters.ledger.tables.inbox import retention
from timerex_ghl.adapters.ledger.tables.sync import cursors, locks, outages
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.automations import SERVICE_DOWN, WAITING_TOO_LONG, WEBHOOKS_SILENT
from timerex_ghl.orchestration.contexts import load_ledger_store
from timerex_ghl.orchestration.monitoring import (
    emit,
    is_reported,
    late_connections,
    note_reported,
    silent_connections,
    unreported_outages,
)
from timerex_ghl.orchestration.run_policy import AT_THE_DESK


@task(**AT_THE_DESK)
async def report_late_events(older_than: timedelta) -> list[ConnectionName]:
    """Emit an event for every connection whose oldest pending event is older; return them."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        late = await ledger.read(late_connections, older_than)
    for connection, (number, minutes) in late.items():
        emit(WAITING_TOO_LONG, connection, waiting=number, minutes=minutes)
    return [*late]


@task(**AT_THE_DESK)
async def report_outages() -> list[ConnectionName]:
    """Emit an event for every outage that lasts, once; return the connections without a service."""
    store = await load_ledger_store()
    async with store.open() as ledger:
        for notice in await ledger.read(unreported_outages):
            outage = notice.outage
            emit(
                SERVICE_DOWN,
                outage.connection,
                service=outage.service,
                since=f"{outage.since:%Y-%m-%d %H:%M} UTC",
                waiting=notice.waiting,
            )
            await ledger.write(cursors.save_cursor, outage.connection, *notice.once)
        down = await ledger.read(outages.list_outages)
    return [*dict.fromkeys(one.connection for one in down)]


@task(**AT_THE_DESK)
async def report_silent_webhooks() -> list[ConnectionName]:
    """Emit an event per connection whose webhooks are silent; return those connections.

    A silence is reported again only when polls find more changes.
    """
    store = await load_ledger_store()
    async with store.open() as ledger:
        now = await ledger.read(clock.now)
        silent = await ledger.read(silent_connections)
        for (connection, service), silence in silent.items():
            minutes = int((now - silence.since).total_seconds() // 60)
            if await is_reported(ledger, connection, service, silence, now):
                continue
            emit(
                WEBHOOKS_SILENT,
                connection,
                service=service,
                changes=silence.changes,
                minutes=minutes,
            )
            await note_reported(ledger, connection, service, silence, now)
    return list(dict.fromkeys(connection for connection, _ in silent))


MOST_UNITS = 40
"""Units of work in which a run deletes history; the next run goes on."""


@task(**AT_THE_DESK)
async def forget_what_is_old(history: timedelta) -> int:
    """Delete what finished long ago, and unused locks; return the number of events.

    Args:
        history: How long finished writes, answered reviews and plans are kept.
    """
    store = await load_ledger_store()
    async with store.open() as ledger:
        while await ledger.write(locks.forget_idle, retention.HEAD) == retention.HEAD:
            pass
        forgotten = 0
        for connection in await ledger.read(retention.connections_of_inbox):
            for state in retention.FINAL:
                while gone := await ledger.write(retention.forget_events, connection, state):
                    forgotten += gone
        for _ in range(MOST_UNITS):
            if not await ledger.write(forget_history, history):
                break
    return forgotten
