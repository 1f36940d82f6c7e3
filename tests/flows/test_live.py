"""The live worker, in a process of its own: it syncs webhooks and edits to the CRM."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from flows.publish_connection import publish_connection
from tests.deliveries import confirmed
from tests.flows.conftest import Drafts, Engine
from tests.flows.live_worker import ask_to_stop, deliver, ended, kill, living, reported, until
from tests.flows.test_activity_mirror import in_crm, person, write
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.processes import Program
from timerex_ghl.domain.activities.activity_entry import NoteEntry
from timerex_ghl.domain.shared.models import ConnectionName

pytestmark = pytest.mark.usefixtures("idle_pool")


async def run_of(engine: Engine, run_id: str | None) -> dict[str, Any]:
    assert run_id is not None
    return await engine.api.send("GET", f"/flow_runs/{run_id}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(engine: Engine) -> AsyncGenerator[Program]:
    """One live worker for several tests: a start costs seconds. The last of them stops it."""
    async with living(engine) as running:
        yield running


async def test_a_booking_reaches_the_crm_and_its_runs_are_found_from_its_audit_row(
    engine: Engine, ready: ConnectionName, worker: Program
) -> None:
    del worker
    event_id = await deliver(engine, ready, confirmed("live-1", "noa@live.example"))

    assert await ended(engine, event_id) is InboxState.APPLIED
    contact = await in_crm(engine, "noa@live.example")
    assert contact["tags"] == ["timerex booked"]
    assert len(contact["notes"]) == 1
    row = await reported(engine, ready, event_id)
    run = await run_of(engine, row.flow_run_id)
    assert run["tags"] == ["timerex-ghl"]
    assert run["state_type"] == "RUNNING"

    async def task_run() -> dict[str, Any] | None:
        wanted = {"task_runs": {"id": {"any_": [row.run_id]}}}
        found = await engine.api.send("POST", "/task_runs/filter", wanted)
        return found[0] if found else None

    assert (await until(task_run, "its task run"))["name"] == f"{ready} {event_id}"


async def test_what_is_written_here_reaches_the_crm_by_the_live_worker(
    engine: Engine, ready: ConnectionName, worker: Program
) -> None:
    del worker
    email = "sora@mirror.example"
    contact_id = await person(engine, ready, email)

    await write(engine, ready, contact_id, NoteEntry(text="Called, no answer"))

    async def arrived() -> list[Any] | None:
        return (await in_crm(engine, email))["notes"] or None

    (note,) = await until(arrived, "the note in the CRM")
    assert note["bodyText"].splitlines()[0] == "Called, no answer"


async def test_a_connection_published_meanwhile_is_handled_too(
    engine: Engine, drafts: Drafts, worker: Program
) -> None:
    del worker
    name = await drafts.save()
    assert (await engine.here(publish_connection, name)).is_completed()

    event_id = await deliver(engine, name, confirmed("live-2", "kim@live.example"))

    assert await ended(engine, event_id) is InboxState.APPLIED


async def test_a_connection_that_cannot_be_opened_keeps_nobody_waiting(
    engine: Engine, ready: ConnectionName, worker: Program
) -> None:
    del worker
    broken = ConnectionName("without-credentials")
    await engine.stage.ledger.write(_publish_without_credentials, ready, broken)
    remaining = await deliver(engine, broken, confirmed("live-3", "sam@live.example"))

    event_id = await deliver(engine, ready, confirmed("live-4", "uma@live.example"))

    assert await ended(engine, event_id) is InboxState.APPLIED
    event = await engine.stage.ledger.read(inbox.read_event, remaining)
    assert event is not None
    assert (event.state, event.attempts) == (InboxState.WAITING, 0)


async def test_a_stop_finishes_what_is_in_hand_and_leaves_the_rest_to_the_next(
    engine: Engine, ready: ConnectionName, worker: Program
) -> None:
    first = await deliver(engine, ready, confirmed("stop-first", "first@live.example"))
    assert await ended(engine, first) is InboxState.APPLIED
    events = [
        await deliver(engine, ready, confirmed(f"stop-{n}", f"stop{n}@live.example"))
        for n in range(40)
    ]
    ask_to_stop(worker)
    assert await asyncio.wait_for(worker.process.wait(), 240) == 0
    rows = [await engine.stage.ledger.read(inbox.read_event, one) for one in events]
    states = {row.state for row in rows if row}
    assert states <= {InboxState.APPLIED, InboxState.WAITING}
    assert await engine.stage.ledger.read(_open_intents, ready) == []
    run = await run_of(engine, (await reported(engine, ready, first)).flow_run_id)
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "Completed")
    assert " applied" in run["state"]["message"]

    async with living(engine):
        assert {await ended(engine, one) for one in events} == {InboxState.APPLIED}
    contacts = await engine.stage.sandbox.contacts()
    stopped = [one for one in contacts if (one.get("email") or "").startswith("stop")]
    assert len(stopped) == 40
    assert {len(one["notes"]) for one in stopped} == {1}


async def test_a_killed_worker_is_followed_by_one_that_stands_by(
    engine: Engine, ready: ConnectionName
) -> None:
    async with living(engine) as first, living(engine, is_ready=False) as second:
        event_id = await deliver(engine, ready, confirmed("kill-1", "ana@live.example"))
        assert await ended(engine, event_id) is InboxState.APPLIED
        row = await reported(engine, ready, event_id)
        await kill(first)

        event_id = await deliver(engine, ready, confirmed("kill-2", "ben@live.example"))

        assert await ended(engine, event_id) is InboxState.APPLIED
        run = await engine.api.wait_for(row.flow_run_id or "")
        assert run["state_type"] == "CRASHED"
        assert run["state"]["message"] == "its worker was killed; the next worker continues"
        assert second.process.returncode is None


def _publish_without_credentials(
    tx: Connection, like: ConnectionName, name: ConnectionName
) -> None:
    """Publish a connection whose credentials block has been deleted."""
    known = published.current(tx, like)
    assert known is not None
    ghl = known.settings.ghl.model_copy(update={"credentials": "deleted"})
    timerex = known.settings.timerex.model_copy(update={"endpoint": secrets.token_hex(16)})
    changes = {"name": name, "ghl": ghl, "timerex": timerex}
    settings = known.settings.model_copy(update=changes)
    published.publish(tx, settings, now=datetime.now(UTC))


def _open_intents(tx: Connection, name: ConnectionName) -> list[Any]:
    table = metadata.tables["intents"]
    statement = select(table).where(table.c.connection == name, table.c.state == "open")
    return [*tx.execute(statement)]
