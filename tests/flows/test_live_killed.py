"""kill -9 of the live worker again and again, and of Prefect: nothing is lost or doubled."""

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, select

from tests.deliveries import cancelled, confirmed
from tests.flows.conftest import Drafts, Engine
from tests.flows.live_worker import LONG_S, deliver, kill, start, until
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.inbox import inbox, inbox_queue
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.demo.console import Screen
from timerex_ghl.demo.environment import CONNECTION, HOST, Stage, enter_blocks, set_up
from timerex_ghl.demo.processes import Programs
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.orchestration import processes

KILLS = 25
GUESTS = 16
"""Guests who book around each kill: a number, so that a slow machine has no more to do."""

PER_S = 4
STUCK_S = 240.0
"""Without an event that ends for so long, the backlog is stuck."""


def open_intents(tx: Connection, name: ConnectionName) -> int:
    table = metadata.tables["intents"]
    statement = select(table).where(table.c.connection == name, table.c.state == "open")
    return len([*tx.execute(statement)])


class Load:
    """Guests who book, half of whom cancel, and the acknowledged webhooks."""

    def __init__(self, engine: Engine, name: ConnectionName, word: str) -> None:
        self.engine, self.name, self.word = engine, name, word
        self.acknowledged: list[EventId] = []
        self.guests = 0

    async def burst(self) -> None:
        for _ in range(GUESTS):
            await self.one()
            await asyncio.sleep(1 / PER_S)

    async def one(self) -> None:
        number = self.guests
        its_id, email = f"{self.word}{number}", f"{self.word}{number}@load.example"
        for make in (confirmed, cancelled)[: 1 + number % 2]:
            self.acknowledged.append(await deliver(self.engine, self.name, make(its_id, email)))
        self.guests += 1

    async def check(self) -> None:
        """Wait until all events are processed; then check the CRM."""
        ledger = self.engine.stage.ledger

        pending = await _what_waits(self)
        while pending:
            before = pending

            async def fewer(before: int = before) -> bool | None:
                return True if await _what_waits(self) < before else None

            await until(fewer, f"the end of one of {pending} pending events", STUCK_S)
            pending = await _what_waits(self)
        events = [await ledger.read(inbox.read_event, one) for one in self.acknowledged]
        states = {event.state if event else None for event in events}
        assert states <= {InboxState.APPLIED, InboxState.NO_OP, InboxState.SUPERSEDED}
        assert await ledger.read(open_intents, self.name) == 0
        found: dict[str, list[dict[str, Any]]] = {}
        for contact in await self.engine.stage.sandbox.contacts():
            found.setdefault(contact.get("email") or "", []).append(contact)
        for number in range(self.guests):
            (contact,) = found[f"{self.word}{number}@load.example"]
            word = ("Booked", "Cancelled")[number % 2]
            assert contact["tags"] == [f"timerex {word.lower()}"]
            (note,) = contact["notes"]
            assert word in note["bodyText"]


@pytest.mark.slow
async def test_25_kills_of_the_live_worker_under_load_lose_and_double_nothing(
    engine: Engine, drafts: Drafts
) -> None:
    name = await drafts.publish(poll_minutes=5)
    load, dice = Load(engine, name, "hit"), random.Random(25)
    programs = Programs(engine.folder)
    try:
        active_run = await start(programs, engine.stage)
        await active_run.first_line(LONG_S)
        for _ in range(KILLS):
            follower = await start(programs, engine.stage)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.burst())
                await asyncio.sleep(dice.random() * GUESTS / PER_S)
                await kill(active_run)
                programs.running.remove(active_run)
                await follower.first_line(LONG_S)
            active_run = follower
        await load.check()
    finally:
        await programs.stop()


@pytest.mark.slow
async def test_with_prefect_down_intake_and_a_running_worker_go_on_and_the_rest_drains_later() -> (
    None
):
    with tempfile.TemporaryDirectory(prefix="timerex-ghl-down-") as name:
        folder, programs = Path(name), Programs(Path(name))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(programs.stop)
            stage = await set_up(folder, programs, stack, Screen())
            await enter_blocks(stage)
            await stage.prefect.run("publish-connection", connection=CONNECTION)
            load = Load(Engine(stage, folder), CONNECTION, "down")
            worker = await start(programs, stage)
            await worker.first_line(LONG_S)
            await load.one()

            await _kill_server(programs)
            await load.one()
            await load.check()  # the running worker went on
            await kill(worker)
            programs.running.remove(worker)
            worker = await start(programs, stage)  # waits for Prefect
            await load.one()
            await asyncio.sleep(2)
            assert await _what_waits(load)

            await _restart_server(programs, stage)
            await worker.first_line(LONG_S)
            await load.check()


async def _what_waits(load: Load) -> int:
    return (await load.engine.stage.ledger.read(inbox_queue.what_waits, load.name)).number


async def _kill_server(programs: Programs) -> None:
    (server,) = [one for one in programs.running if one.name == "server"]
    await kill(server)
    programs.running.remove(server)


async def _restart_server(programs: Programs, stage: Stage) -> None:
    port = make_url(stage.prefect.url).port or 0
    settings = processes.server_settings(HOST, port, stage.environment)
    await programs.start("server", processes.start_server(HOST, port), settings)
