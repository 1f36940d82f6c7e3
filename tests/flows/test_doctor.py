"""`timerex-ghl doctor` on the real server, ledger, sandbox and gateway."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.publish_connection import publish_connection
from tests.flows.conftest import Drafts, Engine, scheduling
from timerex_ghl.cli.doctor.checks import check_schedules, check_up
from timerex_ghl.cli.doctor.endpoint_check import check_endpoint
from timerex_ghl.cli.doctor.finding import Finding
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration.processes import POOL
from timerex_ghl.orchestration.schedules import SCHEDULED


async def found(
    engine: Engine, connection: str, gateway_url: str | None = None
) -> dict[str, Finding]:
    with temporary_settings({PREFECT_API_URL: engine.api.url}):
        return {each.step: each async for each in check_up(POOL, connection, gateway_url)}


async def fault_of_endpoint(engine: Engine, connection: ConnectionName, gateway_url: str) -> str:
    with (
        temporary_settings({PREFECT_API_URL: engine.api.url}),
        pytest.raises(SettingsError) as fault,
    ):
        await check_endpoint(connection, gateway_url)
    return str(fault.value)


@asynccontextmanager
async def another_gateway(ledger_url: str) -> AsyncGenerator[str]:
    """Run a gateway on a ledger of its own."""
    command = ("gateway", "--port", "0", "--json", "--ledger", ledger_url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timerex_ghl", *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield json.loads(await process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def stranger(ready: int, forged: int) -> AsyncGenerator[str]:
    """Answer GET with one status and POST with another."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        status = ready if head.startswith(b"GET") else forged
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_everything_in_place_is_found_well(engine: Engine, ready: ConnectionName) -> None:
    async with scheduling(engine.api):
        findings = await found(engine, ready, engine.stage.gateway_url)

    assert [step for step, each in findings.items() if each.is_well is False] == []
    assert findings["connection"].said == "GHL accepts it; the draft is published"
    assert findings["endpoint"].said == "ready, and refuses deliveries without the token"
    assert findings["schedules"].said == f"{', '.join(SCHEDULED)}, watch run by themselves"
    assert findings["work pool"].is_well
    assert findings["TimeRex poll"].is_well is None
    assert "enter a TimeRex API key" in findings["TimeRex poll"].said


async def test_a_wrong_token_and_a_silent_gateway_are_named(
    engine: Engine, drafts: Drafts, ready: ConnectionName
) -> None:
    wrong = await drafts.save(ghl={"private_token": "pit-nonsense"})

    named = await found(engine, wrong)
    silent = await found(engine, ready, "http://127.0.0.1:9")

    assert named["connection"].is_well is False
    assert "does not accept the private integration token" in named["connection"].said
    assert "no gateway answers at http://127.0.0.1:9" in silent["endpoint"].said


async def test_a_gateway_of_another_ledger_is_named(
    engine: Engine, ready: ConnectionName, tmp_path: Path
) -> None:
    async with another_gateway(f"sqlite:///{tmp_path / 'other.db'}") as url:
        fault = await fault_of_endpoint(engine, ready, url)

    assert "does not know this endpoint: start it on the ledger of the block" in fault


@pytest.mark.parametrize(
    ("ready_status", "forged_status", "said"),
    [
        (404, 404, "another program answers (404 to /readyz)"),
        (200, 200, "a delivery without the token got status 200"),
        (503, 429, "its ledger does not answer"),
    ],
)
async def test_what_is_no_gateway_of_this_service_is_named(
    engine: Engine, ready: ConnectionName, ready_status: int, forged_status: int, said: str
) -> None:
    async with stranger(ready_status, forged_status) as url:
        fault = await fault_of_endpoint(engine, ready, url)

    assert said in fault


async def test_an_address_without_https_is_named(engine: Engine, ready: ConnectionName) -> None:
    fault = await fault_of_endpoint(engine, ready, "your.host")

    assert fault == "invalid gateway URL your.host: enter https://your.host"


@pytest.mark.slow
async def test_paused_schedules_are_reported(engine: Engine, drafts: Drafts) -> None:
    name = await drafts.save()
    await engine.here(publish_connection, name)
    deployment = await engine.api.send("GET", "/deployments/name/contact-sync/contact-sync")
    schedules = [one for one in deployment["schedules"] if one["slug"] == name]
    path = f"/deployments/{deployment['id']}/schedules/{schedules[0]['id']}"
    with temporary_settings({PREFECT_API_URL: engine.api.url}):
        all_paused = await check_schedules(name)
        async with scheduling(engine.api):
            await engine.api.send("PATCH", path, {"active": False})
            one_paused = await check_schedules(name)
        await engine.api.send("DELETE", path)
        with pytest.raises(SettingsError, match=f"contact-sync: run timerex-ghl publish {name}"):
            await check_schedules(name)

    assert (all_paused.is_well, one_paused.is_well) == (None, None)
    assert all_paused.said.startswith("contact-sync, booking-to-crm, timerex-poll, activity-m")
    assert one_paused.said.startswith("contact-sync paused: resume it")


async def test_a_draft_that_was_never_published_is_named(engine: Engine, drafts: Drafts) -> None:
    name = await drafts.save()

    findings = await found(engine, name)

    assert findings["connection"].said.endswith(f"never published: run timerex-ghl publish {name}")


@pytest.mark.parametrize(("is_well", "word"), [(True, "ok"), (False, "FAIL"), (None, "note")])
async def test_a_finding_is_one_line(*, is_well: bool | None, word: str) -> None:
    assert Finding("ledger", is_well, "opens").in_words() == f"{word:<5}ledger: opens"
