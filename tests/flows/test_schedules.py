"""A published connection's schedules create runs, on a real server and worker."""

import asyncio
from typing import Any

import pytest

from tests.flows.conftest import Engine, scheduling
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.schedules import SCHEDULED

WITHIN_S = 300
"""A timeout; the first run is due a minute after publishing."""


async def scheduled_runs(engine: Engine, flow: str, connection: str) -> list[dict[str, Any]]:
    """List the runs that Prefect's scheduler made for a connection."""
    runs = await engine.api.send(
        "POST", "/flow_runs/filter", {"deployments": {"name": {"any_": [flow]}}}
    )
    return [
        run
        for run in runs
        if run["auto_scheduled"] and run["parameters"].get("connection") == connection
    ]


async def wait_for_end(engine: Engine, flow: str, connection: str) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while True:
            for run in await scheduled_runs(engine, flow, connection):
                if run["end_time"] is not None:
                    return run
            await asyncio.sleep(1)


@pytest.mark.slow
async def test_the_schedules_of_a_connection_that_is_unchanged_run(
    engine: Engine, every_minute: ConnectionName
) -> None:
    async with scheduling(engine.api):
        runs = [await wait_for_end(engine, flow, every_minute) for flow in SCHEDULED]

    assert {run["state_type"] for run in runs} == {"COMPLETED"}
