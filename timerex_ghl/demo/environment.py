"""Start every program that the demo needs."""

import asyncio
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.demo.console import Screen
from timerex_ghl.demo.prefect_api import PrefectApi
from timerex_ghl.demo.processes import START_S, Program, Programs
from timerex_ghl.demo.sandbox_api import SandboxApi
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.orchestration import processes

CONNECTION = ConnectionName("demo")
HOST = "127.0.0.1"


class Stage(NamedTuple):
    """The running programs of the demo.

    Attributes:
        environment: Environment of the worker's runs.
    """

    sandbox: SandboxApi
    prefect: PrefectApi
    ledger: Ledger
    ledger_url: str
    gateway_url: str
    environment: dict[str, str]


async def set_up(folder: Path, programs: Programs, stack: AsyncExitStack, screen: Screen) -> Stage:
    """Start the sandbox, a Prefect server, the gateway, a ledger and a worker."""
    screen.say("starting a Prefect server for the demo, and the sandbox")
    prefect, environment, server = await start_prefect(folder, programs, stack)
    sandbox = SandboxApi(await _start(programs, environment, "sandbox", "--port", "0"))
    stack.push_async_callback(sandbox.close)
    ledger_url = f"sqlite:///{folder / 'ledger.db'}"
    ledger = await stack.enter_async_context(open_ledger(ledger_url))
    gateway = ("gateway", "--port", "0", "--ledger", ledger_url)
    gateway_url = (await _start(programs, environment, *gateway))["base_url"]
    await wait_for(prefect, server)
    screen.say(f"Prefect answers: {prefect.url.removesuffix('/api')}")
    await prefect.send("POST", "/work_pools/", {"name": processes.POOL, "type": "process"})
    worker_environment = processes.worker_settings(environment)
    await programs.start("worker", processes.start_worker(), worker_environment)
    await programs.run("deploy", _own("deploy"), environment)
    screen.say("deployed the flows, registered the blocks, started a worker")
    return Stage(sandbox, prefect, ledger, ledger_url, gateway_url, worker_environment)


class Server(NamedTuple):
    """A starting Prefect server. `environment` points other programs to it."""

    api: PrefectApi
    environment: dict[str, str]
    program: Program


async def start_prefect(folder: Path, programs: Programs, stack: AsyncExitStack) -> Server:
    """Start a Prefect server with all its files in a folder; `wait_for` it before use."""
    port = free_port()
    api = PrefectApi(f"http://{HOST}:{port}/api")
    stack.push_async_callback(api.close)
    environment = {
        **processes.without_prefect(),
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": api.url,
        "TIMEREX_GHL_HOME": str(folder),
        "TMPDIR": str(folder),  # Prefect leaves files there
    }
    settings = processes.server_settings(HOST, port, environment)
    program = await programs.start("server", processes.start_server(HOST, port), settings)
    return Server(api, environment, program)


async def enter_blocks(stage: Stage, **settings: Any) -> None:
    """Enter the blocks, as a person does in the Prefect UI.

    Args:
        stage: The running programs.
        settings: Optional settings of the connection.
    """
    ghl, timerex = stage.sandbox.ghl, stage.sandbox.timerex
    await stage.prefect.enter_block("ledger-store", "ledger", {"url": stage.ledger_url})
    credentials = {
        "client_id": ghl["client_id"],
        "client_secret": ghl["client_secret"],
        "refresh_token": ghl["refresh_token"],
        "base_url": ghl["base_url"],
        "token_url": ghl["token_url"],
        "app_url": ghl["base_url"],
        "webhook_public_keys": ghl["webhook_public_key"],
    }
    token = {
        "webhook_token": timerex["webhook_token"],
        "webhook_header": timerex["webhook_header"],
    }
    connection = {
        "location_id": ghl["location_id"],
        "ghl": await stage.prefect.enter_block("ghl-credentials", "demo-ghl", credentials),
        "timerex": await stage.prefect.enter_block("timerex-credentials", "demo-timerex", token),
        **settings,
    }
    await stage.prefect.enter_block("timerex-ghl-connection", CONNECTION, connection)


async def start_live(stage: Stage, programs: Programs) -> None:
    """Start the live worker, and wait until it is ready."""
    program = await programs.start("live", _own("live", "--json"), stage.environment)
    await program.first_line()


def free_port() -> int:
    """Return an unused port."""
    with socket.create_server((HOST, 0)) as found:
        return found.getsockname()[1]


def _own(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "timerex_ghl", *arguments]


async def _start(
    programs: Programs, environment: dict[str, str], *arguments: str
) -> dict[str, str]:
    program = await programs.start(arguments[0], _own(*arguments, "--json"), environment)
    return await program.first_line()


async def wait_for(prefect: PrefectApi, server: Program, timeout_s: float = START_S) -> None:
    """Wait until a Prefect server answers.

    Raises:
        DidNotStartError: It did not answer in time, or has ended.
    """
    began = monotonic()
    while not await prefect.is_healthy():
        server.check()
        server.check_start(monotonic() - began, timeout_s)
        await asyncio.sleep(0.2)
