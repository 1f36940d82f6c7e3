import asyncio
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from timerex_ghl.adapters.ledger import cursors, inbox
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.wake import Alarm
from timerex_ghl.sync.models import ConnectionName, EventId

TOKYO = ConnectionName("tokyo")
LONG_S = 20.0


def store(tx: Connection, key: str) -> EventId:
    event_id, _ = inbox.store_event(
        tx,
        connection=TOKYO,
        source="ghl",
        type="ContactUpdate",
        dedupe_key=key,
        body="{}",
        now=datetime.now(UTC),
    )
    return event_id


async def rings(alarm: Alarm, within_s: float) -> bool:
    began = asyncio.get_running_loop().time()
    await alarm.wait(within_s)
    return asyncio.get_running_loop().time() - began < within_s


async def settle_down(alarm: Alarm) -> None:
    """Let the first ring pass: whoever begins to listen looks once."""
    while await rings(alarm, 0.3):
        pass


async def test_whoever_listens_is_woken_by_another_process_s_event(
    ledger: Ledger, ledger_url: str
) -> None:
    async with open_ledger(ledger_url) as other, ledger.listening() as alarm:
        await settle_down(alarm)

        await other.write(store, "one")

        assert await rings(alarm, LONG_S)


async def test_what_was_stored_before_the_wait_began_is_not_missed(ledger: Ledger) -> None:
    async with ledger.listening() as alarm:
        await settle_down(alarm)
        await ledger.write(store, "one")
        await asyncio.sleep(0.5)

        assert await rings(alarm, LONG_S)


async def test_other_changes_of_the_ledger_wake_nobody(ledger: Ledger) -> None:
    async with ledger.listening() as alarm:
        await settle_down(alarm)

        await ledger.write(cursors.save_cursor, TOKYO, "poll", "1")

        assert not await rings(alarm, 0.3)


async def test_listening_goes_on_after_the_server_cut_the_line(
    ledger: Ledger, ledger_url: str
) -> None:
    async with ledger.listening() as alarm:
        await settle_down(alarm)
        if ledger_url.startswith("postgresql"):
            await ledger.write(_cut_listeners)
            assert await rings(alarm, LONG_S)  # something may have been missed
            await settle_down(alarm)

        await ledger.write(store, "one")

        assert await rings(alarm, LONG_S)


def _cut_listeners(tx: Connection) -> None:
    tx.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    )
