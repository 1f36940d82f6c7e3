"""The demo's stage, with a real Prefect server, shared by all tests of flows."""

import os
import tempfile
import zoneinfo
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from prefect.client.schemas.objects import State
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_LEVEL, temporary_settings
from sqlalchemy import Connection, update

from flows.publish_connection import publish_connection
from tasks.publishing import check_draft, store_version
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.demo.console import Screen
from timerex_ghl.demo.environment import Stage, set_up
from timerex_ghl.demo.prefect_api import PrefectApi
from timerex_ghl.demo.processes import Programs
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.shared.models import ConnectionName, Contact, FieldName
from timerex_ghl.engine.context import utc_now
from timerex_ghl.orchestration.processes import POOL
from timerex_ghl.orchestration.schedules import SCHEDULED, WATCH


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests in this folder share one event loop and one server, and run last.

    Prefect's threads continue in this process and use the global `random`, which Hypothesis
    forbids while it runs. The tests of the main job come first, on an empty stage; the schedules,
    whose first run is due a minute after publishing, and the search for leaks come last.
    """

    def act(item: pytest.Item) -> int:
        if Path(__file__).parent not in item.path.parents:
            return 0
        return {"test_flows_from_the_ui": 1, "test_schedules": 3, "test_no_leaks": 4}.get(
            item.path.stem, 2
        )

    for item in filter(act, items):
        item.add_marker(pytest.mark.engine)
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    items.sort(key=act)


@dataclass
class Engine:
    """The stage, and the folder with all files of its programs."""

    stage: Stage
    folder: Path

    @property
    def api(self) -> PrefectApi:
        return self.stage.prefect

    async def artifact(self, key: str) -> str:
        return (await self.api.send("GET", f"/artifacts/{key}/latest"))["data"]

    async def here(self, flow: object, *arguments: object, **named: object) -> State[Any]:
        """Run a flow in this process, against the real server; return its end state."""
        settings: dict[Any, Any] = {
            PREFECT_API_URL: self.api.url,
            PREFECT_LOGGING_LEVEL: "CRITICAL",
        }
        with temporary_settings(settings):
            return await cast("Any", flow)(*arguments, **named, return_state=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncGenerator[Engine]:
    with tempfile.TemporaryDirectory(prefix="timerex-ghl-engine-") as name:
        folder = Path(name)
        os.environ["TIMEREX_GHL_HOME"] = name
        zoneinfo.reset_tzpath(to=())  # as in our processes
        async with AsyncExitStack() as stack:
            programs = Programs(folder)
            stack.push_async_callback(programs.stop)
            stage = await set_up(folder, programs, stack, Screen())
            await stage.sandbox.send("POST", "/ghl/limits", {"enabled": False})
            await pause_schedules(stage.prefect, is_paused=True)
            yield Engine(stage, folder)
            await APILogHandler.aflush()
        zoneinfo.reset_tzpath()
        del os.environ["TIMEREX_GHL_HOME"]


async def pause_schedules(api: PrefectApi, *, is_paused: bool) -> None:
    """Pause all deployments that have schedules, or resume them.

    Most tests start their runs themselves. With active schedules, the server plans the runs of
    all connections after each publication, which takes seconds.
    """
    for name in (*SCHEDULED, WATCH):
        deployment = await api.send("GET", f"/deployments/name/{name}/{name}")
        await api.send("PATCH", f"/deployments/{deployment['id']}", {"paused": is_paused})


@asynccontextmanager
async def scheduling(api: PrefectApi) -> AsyncGenerator[None]:
    """Activate the schedules for a while."""
    await pause_schedules(api, is_paused=False)
    try:
        yield
    finally:
        await pause_schedules(api, is_paused=True)


NAME = ConnectionName("inproc")
NO_SCHEDULED_RUNS = {"poll_minutes": 1440, "task_minutes": 1440}
"""The first run is due after all tests, so that no scheduled run disturbs them."""


class Drafts:
    """The blocks of a connection by private token, and how to change one of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.api = engine.api
        ghl, timerex = engine.stage.sandbox.ghl, engine.stage.sandbox.timerex
        self.ghl = {
            "private_token": ghl["private_token"],
            "base_url": ghl["base_url"],
            "token_url": ghl["token_url"],
        }
        self.timerex = {"webhook_token": timerex["webhook_token"]}
        self.connection: dict[str, Any] = {
            "location_id": ghl["location_id"],
            "rate_limit": False,
            **NO_SCHEDULED_RUNS,
        }
        self.made = 0
        self.ready: ConnectionName | None = None

    async def save(
        self,
        *,
        ghl: dict[str, Any] | None = None,
        timerex: dict[str, Any] | None = None,
        rules: list[dict[str, Any]] | None = None,
        **connection: Any,
    ) -> ConnectionName:
        """Save a new connection with these differences; return its name."""
        self.made += 1
        name = f"{NAME}-{self.made}"
        form = {**self.connection, **connection}
        form["ghl"] = await self.api.enter_block("ghl-credentials", name, self.ghl | (ghl or {}))
        form["timerex"] = await self.api.enter_block(
            "timerex-credentials", name, self.timerex | (timerex or {})
        )
        if rules is not None:
            mapping = {"rules": rules}
            form["mapping"] = await self.api.enter_block("field-mapping", name, mapping)
        await self.api.enter_block("timerex-ghl-connection", name, form)
        return ConnectionName(name)

    async def publish(self, **changes: Any) -> ConnectionName:
        """Save a new connection and publish it, without a flow run and schedules."""
        name = await self.save(**changes)
        with temporary_settings({PREFECT_API_URL: self.api.url}):
            checked = await check_draft.fn(name)
            await store_version.fn(name, checked.settings)
        return name


@pytest.fixture(scope="session")
def _all_drafts() -> list[Drafts]:
    return []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def drafts(engine: Engine, _all_drafts: list[Drafts]) -> AsyncGenerator[Drafts]:
    blocks = await engine.api.send("POST", "/block_documents/filter", {})
    if not any(block["name"] == "ledger" for block in blocks):
        url = {"url": engine.stage.ledger_url}
        await engine.api.enter_block("ledger-store", "ledger", url)
    made = Drafts(engine)
    _all_drafts.append(made)
    yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ready(engine: Engine, drafts: Drafts) -> ConnectionName:
    name = await drafts.save()
    state = await engine.here(publish_connection, name)
    assert state.is_completed(), state.message
    drafts.ready = name
    return name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def every_minute(engine: Engine, drafts: Drafts) -> ConnectionName:
    """A published connection whose schedules are due every minute."""
    name = await drafts.save(poll_minutes=1, task_minutes=1)
    state = await engine.here(publish_connection, name)
    assert state.is_completed(), state.message
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def idle_pool(engine: Engine) -> AsyncGenerator[None]:
    """A paused work pool: a starting live worker requests two runs per connection."""
    await engine.api.send("PATCH", f"/work_pools/{POOL}", {"is_paused": True})
    yield
    waiting = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    for run in await engine.api.send("POST", "/flow_runs/filter", waiting):
        if not run["auto_scheduled"]:
            await engine.api.send("DELETE", f"/flow_runs/{run['id']}")
    await engine.api.send("PATCH", f"/work_pools/{POOL}", {"is_paused": False})


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def _retired(_all_drafts: list[Drafts]) -> AsyncGenerator[None]:
    """Remove a module's connections, as a live worker polls for each it finds."""
    yield
    for drafts in _all_drafts:
        await drafts.engine.stage.ledger.write(_retire, drafts.ready)


def _retire(tx: Connection, kept: ConnectionName | None) -> None:
    table = metadata.tables["published_connections"]
    mine = table.c.connection.startswith(f"{NAME}-") & (table.c.connection != (kept or ""))
    tx.execute(update(table).where(mine).values(runs=False))


async def add_person(engine: Engine, name: ConnectionName, **values: str) -> None:
    contact = Contact(values={FieldName(key): value for key, value in values.items()})
    await engine.stage.ledger.write(
        workspace_contacts.add_contact, name, contact, keys_of(contact, "JP"), utc_now()
    )
