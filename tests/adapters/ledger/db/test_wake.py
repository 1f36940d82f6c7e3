import asyncio
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from tests.adapters.fake_time import HANG_S
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.wake import Alarm
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.sync import cursors
from timerex_ghl.domain.shared.models import ConnectionName, EventId

TOKYO = ConnectionName("tokyo")


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


async def begins(alarm: Alarm) -> None:
    """Wait for the first ring: an alarm rings once when it starts to listen."""
    assert await alarm.wait(HANG_S)


async def test_whoever_listens_is_woken_by_another_process_s_event(
    ledger: Ledger, ledger_url: str
) -> None:
    async with open_ledger(ledger_url) as other, ledger.listening() as alarm:
        await begins(alarm)

        await other.write(store, "one")

        assert await alarm.wait(HANG_S)


async def test_rings_before_the_wait_began_are_not_missed_and_count_as_one() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    await asyncio.sleep(0)

    assert await alarm.wait(HANG_S)
    assert not await alarm.wait(0)


async def test_other_changes_of_the_ledger_wake_nobody(ledger: Ledger) -> None:
    async with ledger.listening() as alarm:
        await begins(alarm)

        await ledger.write(cursors.save_cursor, TOKYO, "poll", "1")

        assert not await alarm.wait(0.3)


async def test_listening_goes_on_after_the_server_cut_the_line(
    ledger: Ledger, ledger_url: str
) -> None:
    async with ledger.listening() as alarm:
        await begins(alarm)
        if ledger_url.startswith("postgresql"):
            await cut_listener(ledger)
            assert await alarm.wait(HANG_S)  # an event may have been missed
            while await alarm.wait(0.1):  # once for the outage, and once for listening again
                pass

        await ledger.write(store, "one")

        assert await alarm.wait(HANG_S)


async def cut_listener(ledger: Ledger) -> None:
    """Terminate the server process of the alarm's connection, and wait for the next one."""
    cut = await ledger.write(_cut)
    async with asyncio.timeout(HANG_S):
        while not await ledger.read(_listeners) - cut:
            pass


def _listeners(tx: Connection) -> set[int]:
    processes = text(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"
    )
    return {*tx.scalars(processes)}


def _cut(tx: Connection) -> set[int]:
    found = _listeners(tx)
    for pid in found:
        tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return found
