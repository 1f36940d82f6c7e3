"""One stage for all tests that need the Prefect engine: the demo's own, with a real server."""

import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_LEVEL, temporary_settings

from timerex_ghl.demo.prefect_api import PrefectApi
from timerex_ghl.demo.processes import Programs
from timerex_ghl.demo.screen import Screen
from timerex_ghl.demo.stage import Stage, set_up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here shares one event loop and one server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class Engine:
    """The stage, and the folder with everything its programs leave behind."""

    stage: Stage
    folder: Path

    @property
    def api(self) -> PrefectApi:
        return self.stage.prefect

    async def artifact(self, key: str) -> str:
        return (await self.api.send("GET", f"/artifacts/{key}/latest"))["data"]

    async def here(self, flow: object, *arguments: object, **named: object) -> State[Any]:
        """Run a flow in this process, against the real server; hand back its end state."""
        settings = {PREFECT_API_URL: self.api.url, PREFECT_LOGGING_LEVEL: "CRITICAL"}
        with temporary_settings(settings):
            return await cast("Any", flow)(*arguments, **named, return_state=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncGenerator[Engine]:
    with tempfile.TemporaryDirectory(prefix="timerex-ghl-engine-") as name:
        folder = Path(name)
        os.environ["TIMEREX_GHL_HOME"] = name
        async with AsyncExitStack() as stack:
            programs = Programs(folder)
            stack.push_async_callback(programs.stop)
            yield Engine(await set_up(folder, programs, stack, Screen()), folder)
        del os.environ["TIMEREX_GHL_HOME"]
