"""Two live workers, a process each, and trouble with the ledger's database: one is active."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import make_url

from tests.deliveries import confirmed
from tests.flows.conftest import Drafts, Engine
from tests.flows.live_worker import LONG_S, start, until
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.sqlite import choose_module
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.demo.processes import Program, Programs
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

pytestmark = pytest.mark.usefixtures("idle_pool")

LEASE_S = 3
OUTAGE_S = 6
FAILED, WORKS = "the ledger's database failed", "the ledger's database works again"


class Pair(NamedTuple):
    """An active worker and a standby on one ledger."""

    engine: Engine
    ledger: Ledger
    name: ConnectionName
    workers: tuple[Program, Program]

    async def book(self, word: str) -> list[EventId]:
        """Store the webhooks of some guests, as the gateway does."""
        return [
            (
                await self.ledger.write(
                    inbox.store_event,
                    connection=self.name,
                    source="timerex",
                    type="event_confirmed",
                    dedupe_key=f"{word}-{number}",
                    body=json.dumps(confirmed(f"{word}{number}", f"{word}{number}@outage.example")),
                    now=datetime.now(UTC),
                )
            )[0]
            for number in range(8)
        ]

    async def flow_runs(self, events: list[EventId]) -> set[str | None]:
        """Wait until events are applied; return the flow runs that applied them."""
        for event_id in events:

            async def applied(event_id: EventId = event_id) -> bool | None:
                event = await self.ledger.read(inbox.read_event, event_id)
                return True if event and event.state is InboxState.APPLIED else None

            await until(applied, f"the end of {event_id}", 60)
        wanted = {RecordRef.event(event_id) for event_id in events}
        entries = await self.ledger.read(audit.entries, self.name, 500)
        return {one.flow_run_id for one in entries if one.subject in wanted}

    async def check_crm(self, *words: str) -> None:
        """Check that each guest is there once, with one note."""
        contacts = await self.engine.stage.sandbox.contacts()
        found = sorted(
            (one["email"], len(one["notes"]))
            for one in contacts
            if (one.get("email") or "").startswith(words)
        )
        assert found == sorted(
            (f"{word}{number}@outage.example", 1) for word in words for number in range(8)
        )


def administer(url: str, *statements: str) -> None:
    """Run statements from another database of the same server."""
    server = make_url(url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement.encode())


def cut(url: str) -> None:
    """End every connection to the database."""
    ends = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
    administer(url, f"{ends}'{make_url(url).database}'")


def set_read_only(url: str, word: str) -> None:
    """Make the database read-only, or no longer, as a failover does: connections are cut, too."""
    database = make_url(url).database
    administer(url, f'ALTER DATABASE "{database}" SET default_transaction_read_only = {word}')
    cut(url)


def log_of(program: Program) -> str:
    return program.log.read_text(errors="replace")


async def says(program: Program, words: str) -> None:
    async def look() -> bool | None:
        return True if words in log_of(program) else None

    await until(look, f"'{words}' in the log", LONG_S)


@asynccontextmanager
async def started(engine: Engine, drafts: Drafts, url: str) -> AsyncGenerator[Pair]:
    """Run two live workers on this ledger."""
    documents = await engine.api.send("POST", "/block_documents/filter", {})
    block = next(one for one in documents if one["name"] == "ledger")
    path = f"/block_documents/{block['id']}"
    await engine.api.send("PATCH", path, {"data": {"url": url}})
    stage = engine.stage._replace(
        environment={**engine.stage.environment, "TIMEREX_GHL_LIVE_LEASE_S": str(LEASE_S)}
    )
    programs = Programs(engine.folder)
    try:
        async with open_ledger(url) as ledger:
            name = await drafts.publish()
            active, standby = await start(programs, stage), await start(programs, stage)
            await until(lambda: first_ready(active, standby), "a worker is ready")
            if "ready" not in log_of(active):
                active, standby = standby, active
            await says(standby, "this one stands by")
            yield Pair(engine, ledger, name, (active, standby))
    finally:
        await programs.stop()
        await engine.api.send("PATCH", path, {"data": {"url": engine.stage.ledger_url}})


async def first_ready(*programs: Program) -> bool | None:
    for program in programs:
        program.check()
    return True if any('"ready": true' in log_of(one) for one in programs) else None


async def test_a_cut_and_a_read_only_database_leave_one_worker_active_and_lose_nothing(
    engine: Engine, drafts: Drafts, postgresql_url: str
) -> None:
    async with started(engine, drafts, postgresql_url) as pair:
        await fail_over(pair, postgresql_url)


async def fail_over(pair: Pair, postgresql_url: str) -> None:
    active, standby = pair.workers
    before = await pair.book("before")
    cut(postgresql_url)
    assert len(await pair.flow_runs(before)) == 1
    assert (active.process.returncode, standby.process.returncode) == (None, None)

    set_read_only(postgresql_url, "on")
    try:
        await asyncio.sleep(OUTAGE_S)
    finally:
        set_read_only(postgresql_url, "off")
    await until(lambda: works(pair.ledger), "the ledger accepts a write")
    after = await pair.book("after")

    assert len(await pair.flow_runs(after)) == 1
    assert standby.process.returncode is None
    assert active.process.returncode in {None, 75}
    assert "Traceback" not in log_of(standby)
    assert 1 <= log_of(standby).count(FAILED) <= 2  # the cut before may be noticed, too
    assert log_of(standby).count(FAILED) == log_of(standby).count(WORKS)
    await pair.check_crm("before", "after")


@pytest.mark.slow
async def test_a_locked_file_stops_both_workers_and_one_goes_on(
    engine: Engine, drafts: Drafts, sqlite_url: str
) -> None:
    async with started(engine, drafts, sqlite_url) as pair:
        active, standby = pair.workers
        assert len(await pair.flow_runs(await pair.book("unlocked"))) == 1

        other: sqlite3.Connection = choose_module().connect(
            sqlite_url.removeprefix("sqlite:///"), isolation_level=None
        )
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(OUTAGE_S)
        other.close()
        after = await pair.book("locked")

        assert len(await pair.flow_runs(after)) == 1
        assert standby.process.returncode is None
        assert active.process.returncode in {None, 75}
        assert "Traceback" not in log_of(standby)
        await pair.check_crm("unlocked", "locked")


async def works(ledger: Ledger) -> bool | None:
    try:
        await ledger.write(locks.forget_idle, 0)
    except RetryableError:
        return None
    return True
