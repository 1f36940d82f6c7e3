"""Warn once of a daily call budget that runs low, and of revoked tokens."""

from prefect import task

from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.contexts import load_ledger_store
from timerex_ghl.orchestration.monitoring import emit
from timerex_ghl.orchestration.quota_warnings import pending_notices
from timerex_ghl.orchestration.run_policy import AT_THE_DESK


@task(**AT_THE_DESK)
async def warn_in_time() -> list[ConnectionName]:
    """Emit events for low call budgets and revoked tokens; return the connections.

    Each is sent once. It is recorded after it is sent, so a crash between the two sends it twice.
    """
    store = await load_ledger_store()
    async with store.open() as ledger:
        notices = await ledger.read(pending_notices)
        for one in notices:
            emit(one.event, one.connection, **one.payload)
            await ledger.write(cursors.save_cursor, one.connection, *one.once)
    return [*dict.fromkeys(one.connection for one in notices)]
