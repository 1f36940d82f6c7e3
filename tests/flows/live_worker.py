"""A live worker in a process of its own, and the deliveries that it processes."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.flows.conftest import Engine
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import audit, published
from timerex_ghl.adapters.ledger.tables.operations.audit import AuditEntry
from timerex_ghl.demo.environment import Stage
from timerex_ghl.demo.processes import Program, Programs
from timerex_ghl.domain.shared.models import ConnectionName, EventId
from timerex_ghl.domain.shared.record_ref import RecordRef

T = TypeVar("T")
LONG_S = 240.0


@asynccontextmanager
async def living(engine: Engine, *, is_ready: bool = True) -> AsyncGenerator[Program]:
    """Run `timerex-ghl live` until the test is over."""
    programs = Programs(engine.folder)
    try:
        program = await start(programs, engine.stage)
        if is_ready:
            await program.first_line(LONG_S)
        yield program
    finally:
        await programs.stop()


async def start(programs: Programs, stage: Stage) -> Program:
    """Start a live worker."""
    command = [sys.executable, "-m", "timerex_ghl", "live", "--json"]
    name = f"live-{len(programs.running)}-{time.monotonic_ns()}"
    return await programs.start(name, command, stage.environment)


async def kill(program: Program) -> None:
    """Kill the worker itself; its supervisor then ends too."""
    for child in _children_of(program.process.pid):
        os.kill(child, signal.SIGKILL)
    await program.process.wait()


def ask_to_stop(program: Program) -> None:
    """Send SIGTERM to the worker itself, as its supervisor allows less time than it needs."""
    for child in _children_of(program.process.pid):
        os.kill(child, signal.SIGTERM)


def _children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


async def deliver(engine: Engine, name: ConnectionName, body: dict[str, Any]) -> EventId:
    """Deliver as TimeRex does; return the id of the stored event.

    Retries, as the gateway knows a connection only two seconds after it was published.
    """
    version = await engine.stage.ledger.read(published.current, name)
    assert version is not None
    endpoint = version.settings.timerex.endpoint
    timerex = engine.stage.sandbox.timerex
    headers = {timerex["webhook_header"]: timerex["webhook_token"]}
    async with httpx.AsyncClient(timeout=120, verify=NO_TLS) as http:

        async def answered() -> httpx.Response | None:
            answer = await http.post(
                f"{engine.stage.gateway_url}/webhooks/timerex/{endpoint}",
                content=json.dumps(body),
                headers={**headers, "content-type": "application/json"},
            )
            return None if answer.status_code == 404 else answer

        answer = await until(answered, f"the endpoint of {name}")
    assert answer.status_code == 200, answer.text
    return EventId(answer.json()["event"])


async def until(look: Callable[[], Awaitable[T | None]], what: str, most_s: float = LONG_S) -> T:
    """Poll until there is a result."""
    for _ in range(int(most_s / 0.1)):
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {most_s:.0f} s")


async def ended(engine: Engine, event_id: EventId) -> InboxState:
    """Wait until an event has its final state."""

    async def look() -> InboxState | None:
        event = await engine.stage.ledger.read(inbox.read_event, event_id)
        return event.state if event and event.state is not InboxState.WAITING else None

    return await until(look, f"the end of {event_id}")


async def reported(engine: Engine, name: ConnectionName, event_id: EventId) -> AuditEntry:
    """Wait for the audit entry of an event."""
    entries = await engine.stage.ledger.read(audit.entries, name, 500)
    return next(one for one in entries if one.subject == RecordRef.event(event_id))
