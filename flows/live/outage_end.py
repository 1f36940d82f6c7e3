"""Notices when a service that was down answers again, so that its events go on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from flows.live.live_worker import LiveWorker
from timerex_ghl.adapters.ledger.tables.sync import outages
from timerex_ghl.domain.shared.errors import TimerexGhlError
from timerex_ghl.engine.context import utc_now
from timerex_ghl.engine.outages import try_again
from timerex_ghl.orchestration.contexts import opened

LOOK_EVERY_S = 1.0


@asynccontextmanager
async def ending_outages(worker: LiveWorker) -> AsyncGenerator[None]:
    """Try services that are down whenever that is due."""
    trying = asyncio.create_task(_keep_trying(worker))
    try:
        yield
    finally:
        trying.cancel()
        with suppress(asyncio.CancelledError):
            await trying


async def _keep_trying(worker: LiveWorker) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        with suppress(TimerexGhlError):
            await _try_all(worker)


async def _try_all(worker: LiveWorker) -> None:
    for outage in await worker.ledger.read(outages.list_outages):
        if outage.next_try_at > utc_now() or outage.connection not in worker.dispatcher.open:
            continue
        async with opened(outage.connection) as context:
            if await try_again(context, outage.service) is None:
                worker.dispatcher.wake()
