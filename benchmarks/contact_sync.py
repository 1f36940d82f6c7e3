"""Contact sync compared with a bare httpx loop of the same requests, without rate limiter.

    python -m benchmarks.contact_sync [people] [rounds]

Each round edits every person in the workspace, runs the flow `contact-sync` against a real Prefect
server on the same machine, and sends the requests of that run again: four at once, where a
bare loop is fastest, with nothing stored, planned or checked. The ratio is the sync's speed divided
by that of the bare loop. On a shared machine `cpu_ratio` is more stable: the same ratio for the
processor time of this process.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import httpx
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_LEVEL, temporary_settings
from sqlalchemy import Connection

from benchmarks.harness import machine, median, peak_memory_mb, say
from flows.contact_sync import contact_sync
from flows.publish_connection import publish_connection
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.demo.console import Screen
from timerex_ghl.demo.environment import Stage, set_up
from timerex_ghl.demo.processes import Programs
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName, WorkspaceContact
from timerex_ghl.engine.context import CallCount
from timerex_ghl.orchestration import contexts

T = TypeVar("T")

NAME = ConnectionName("bench")
AT_ONCE = 4
GOAL = 0.7


class Sent(NamedTuple):
    """A request as it left."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any


@asynccontextmanager
async def prepared() -> AsyncGenerator[Stage]:
    """Start everything, and publish a connection without rate limiter."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["TIMEREX_GHL_HOME"] = str(folder)
        programs = Programs(folder)
        stack.push_async_callback(programs.stop)
        stage = await set_up(folder, programs, stack, Screen())
        settings: dict[Any, Any] = {
            PREFECT_API_URL: stage.prefect.url,
            PREFECT_LOGGING_LEVEL: "CRITICAL",
        }
        stack.enter_context(temporary_settings(settings))
        await stage.sandbox.send("POST", "/ghl/limits", {"enabled": False})
        await enter_blocks(stage)
        await run(publish_connection, NAME)
        yield stage


async def enter_blocks(stage: Stage) -> None:
    """Enter the blocks of a connection with a private token."""
    ghl, timerex = stage.sandbox.ghl, stage.sandbox.timerex
    enter = stage.prefect.enter_block
    await enter("ledger-store", "ledger", {"url": stage.ledger_url})
    token = {name: ghl[name] for name in ("private_token", "base_url", "token_url")}
    form = {
        "location_id": ghl["location_id"],
        "rate_limit": False,
        "ghl": await enter("ghl-credentials", NAME, token),
        "timerex": await enter(
            "timerex-credentials", NAME, {"webhook_token": timerex["webhook_token"]}
        ),
    }
    await enter("timerex-ghl-connection", NAME, form)


async def run(flow: object, *arguments: object) -> str:
    """Run a flow in this process; return the message of its end state."""
    state = await cast("Any", flow)(*arguments, return_state=True)
    if not state.is_completed():
        raise AssertionError(state.message)
    return state.message or ""


def edit_all(tx: Connection, rows: Sequence[WorkspaceContact], city: str) -> None:
    """Change the city of all contacts."""
    change = WorkspaceChange(values={FieldName("city"): city})
    for row in rows:
        keys = keys_of(apply_change(row.contact, change), "JP")
        workspace_contacts.change_contact(tx, NAME, row.id, change, keys, datetime.now(UTC))


async def everybody(stage: Stage) -> list[WorkspaceContact]:
    """Read the whole workspace."""
    found: list[WorkspaceContact] = []
    after: ContactId | None = None
    while page := await stage.ledger.read(workspace_contacts.list_contacts, NAME, after):
        found += page
        after = page[-1].id
    return found


@asynccontextmanager
async def listening() -> AsyncGenerator[list[httpx.Request]]:
    """Record every request that the flow's client sends."""
    sent: list[httpx.Request] = []
    original = contexts.open_http

    def opened(calls: CallCount) -> httpx.AsyncClient:
        client = original(calls)

        async def note(request: httpx.Request) -> None:
            sent.append(request)

        client.event_hooks["request"].append(note)
        return client

    contexts.open_http = opened
    try:
        yield sent
    finally:
        contexts.open_http = original


def as_sent(request: httpx.Request) -> Sent:
    """Copy what is needed to send a request again."""
    headers = {name: request.headers[name] for name in ("authorization", "version")}
    body = json.loads(request.content) if request.content else None
    return Sent(request.method, str(request.url), headers, body)


async def send_again(sent: Sequence[Sent]) -> None:
    """Send requests, four at once, and read the answers."""
    rest = iter(sent)

    async def work(http: httpx.AsyncClient) -> None:
        for request in rest:
            answer = await http.request(
                request.method, request.url, headers=request.headers, json=request.body
            )
            answer.raise_for_status()
            answer.json()

    async with httpx.AsyncClient() as http:
        await asyncio.gather(*(work(http) for _ in range(AT_ONCE)))


class Took(NamedTuple):
    """Elapsed time, and processor time of this process."""

    clock_s: float
    cpu_s: float


async def timed(work: Awaitable[T]) -> tuple[T, Took]:
    """Await and measure."""
    began, cpu_began = time.perf_counter(), time.process_time()
    done = await work
    return done, Took(time.perf_counter() - began, time.process_time() - cpu_began)


async def main(people: int, rounds: int) -> None:
    """Bring all contacts in sync, then edit, sync and send again."""
    ratios: list[float] = []
    cpu_ratios: list[float] = []
    speeds: list[float] = []
    async with prepared() as stage:
        await stage.sandbox.send("POST", "/ghl/bulk", {"count": people})
        await run(contact_sync, NAME)
        rows = await everybody(stage)
        for number in range(rounds):
            await stage.ledger.write(edit_all, rows, f"City {number}")
            async with listening() as sent:
                said, sync = await timed(run(contact_sync, NAME))
            _, bare = await timed(send_again([as_sent(request) for request in sent]))
            ratios.append(bare.clock_s / sync.clock_s)
            cpu_ratios.append(bare.cpu_s / sync.cpu_s)
            speeds.append(people / sync.clock_s)
            say(
                round=number,
                sync_s=round(sync.clock_s, 2),
                bare_s=round(bare.clock_s, 2),
                ratio=round(ratios[-1], 3),
                cpu_ratio=round(cpu_ratios[-1], 3),
                calls=len(sent),
                calls_per_change=round(len(sent) / people, 2),
                said=said,
            )
    say(
        benchmark="contact_sync",
        people=people,
        median_records_per_s=median(speeds, 0),
        median_ratio=median(ratios),
        median_cpu_ratio=median(cpu_ratios),
        goal_ratio=GOAL,
        peak_memory_mb=peak_memory_mb(),
        **machine(),
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers + [1000, 5][len(numbers) :])))
