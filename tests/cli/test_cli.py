"""The command line: it answers at once, and prints errors as one line."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests import make
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.cli import main
from timerex_ghl.domain.connections.settings import ConnectionSettings, GhlSettings, TimerexSettings
from timerex_ghl.domain.shared.models import ConnectionName, LocationId
from timerex_ghl.orchestration import processes

COMMANDS = [
    "demo", "sandbox", "gateway", "endpoints", "server", "worker", "deploy", "publish", "reviews",
    "plans", "alerts", "doctor", "live", "explain", "token", "import", "export", "bookings",
    "notes", "tasks", "deletes", "differences",
]  # fmt: skip
KEYS = {
    "ghl": {
        "base_url", "token_url", "location_id", "access_token", "refresh_token", "client_id",
        "client_secret", "private_token", "calendar_id", "user_id", "webhook_public_key",
    },
    "timerex": {
        "base_url", "token_url", "booking_url", "api_key", "client_id", "client_secret",
        "access_token", "refresh_token", "webhook_header", "webhook_token", "calendar_id",
    },
    "control": {"base_url", "token"},
}  # fmt: skip
ENDED_S = 120
"""A timeout for a process that never ends; nothing takes nearly as long."""

HEAVY = {"prefect", "sqlalchemy", "pydantic", "fastapi", "pandas", "httpx"}
NO_PREFECT = (
    "timerex-ghl: no Prefect server answers at PREFECT_API_URL: start one with timerex-ghl "
    "server, or check the URL, and PREFECT_API_AUTH_STRING if the server requires one\n"
)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIMEREX_GHL_HOME", str(tmp_path))
    monkeypatch.delenv("TIMEREX_GHL_LEDGER", raising=False)
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "CRITICAL")  # `publish` sets it permanently


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "timerex_ghl", *arguments]
    env = {**processes.without_prefect(os.environ), **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)


def first_line_of(process: "subprocess.Popen[str]") -> str:
    """Read the line a program prints when ready; fail with its errors if it ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _, errors = process.communicate(timeout=ENDED_S)
        pytest.fail(f"{process.args} ended with {process.returncode} before it was ready: {errors}")
    return line


def test_every_command_is_tested_here() -> None:
    assert sorted(main.commands) == sorted(COMMANDS)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, flag: str) -> None:
    result = call(command, flag)

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {command}")


def test_help_names_every_command_and_the_way_to_begin() -> None:
    result = call("--help")

    assert result.exit_code == 0
    assert all(f"\n  {command} " in result.output for command in COMMANDS)
    assert "New here? `timerex-ghl demo`" in result.output


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from timerex_ghl.cli import main; "
        "main(['--help'], standalone_mode=False); print('imported', *sys.modules)"
    )
    command = [sys.executable, "-c", code]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert not HEAVY & set(said.rpartition("imported")[2].split())


@pytest.mark.parametrize("command", ["gateway", "endpoints"])
@pytest.mark.parametrize("url", ["canary", "mysql://kana:canary@127.0.0.1/x"])
def test_a_wrong_ledger_is_said_in_one_line(command: str, url: str) -> None:
    result = call(command, "--ledger", url)

    assert result.exit_code == 1
    assert result.output.startswith("timerex-ghl: invalid ledger URL: enter ")
    assert result.output.count("\n") == 1
    assert "canary" not in result.output


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = call("gateway", "--port", port)

    assert result.exit_code == 1
    assert result.output.startswith(f"timerex-ghl: cannot listen on 127.0.0.1, port {port} (")
    assert result.output.count("\n") == 1


def test_endpoints_without_a_published_connection() -> None:
    result = call("endpoints")

    assert result.exit_code == 1
    assert result.output == (
        "timerex-ghl: no connection is published yet: run timerex-ghl publish NAME\n"
    )


async def publish_one(url: str) -> None:
    settings = ConnectionSettings(
        name=ConnectionName("aoba"),
        ghl=GhlSettings(
            location_id=LocationId("loc-aoba"),
            base_url="https://ghl.example",
            token_url="https://ghl.example/oauth/token",
            app_url="https://app.example",
            credentials="aoba-ghl",
            auth="oauth",
            scopes=frozenset(),
        ),
        timerex=TimerexSettings(
            credentials="aoba-timerex", endpoint="d00r", header="x-token", token_digests=()
        ),
        region="JP",
        rules=(),
    )
    async with open_ledger(url) as ledger:
        await ledger.write(published.publish, settings, now=make.NOW)


def test_endpoints_prints_each_connections_path(sqlite_url: str) -> None:
    asyncio.run(publish_one(sqlite_url))

    result = call("endpoints", "--ledger", sqlite_url)

    printed = (result.exit_code, result.stdout, result.stderr)
    assert printed == (0, "aoba  /webhooks/timerex/d00r\n", "")


def test_the_sandbox_prints_one_line_and_ends_on_sigterm() -> None:
    with start("sandbox", "--json") as running:
        info = json.loads(first_line_of(running))
        running.send_signal(signal.SIGTERM)
        rest, errors = running.communicate(timeout=ENDED_S)

    assert {side: set(values) for side, values in info.items()} == KEYS
    assert (running.returncode, rest, errors) == (0, "", "")


def test_the_gateway_prints_its_address_and_ends_on_sigterm() -> None:
    with start("gateway", "--port", "0", "--json") as running:
        info = json.loads(first_line_of(running))
        running.send_signal(signal.SIGTERM)
        rest, errors = running.communicate(timeout=ENDED_S)

    assert info.keys() == {"base_url"}
    assert info["base_url"].startswith("http://127.0.0.1:")
    assert (running.returncode, rest, errors) == (0, "", "")


def test_without_a_prefect_server_publish_and_deploy_say_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    where = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    with start("publish", "aoba", **where) as publish, start("deploy", **where) as deploy:
        said = [(*one.communicate(timeout=ENDED_S), one.returncode) for one in (publish, deploy)]

    assert said == [("", NO_PREFECT, 1)] * 2


@pytest.mark.parametrize("arguments", [("publish", "aoba"), ("deploy",)])
def test_without_an_address_of_prefect_nothing_is_started(arguments: tuple[str, ...]) -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        result = call(*arguments)

    assert result.exit_code == 1
    assert result.output == (
        "timerex-ghl: PREFECT_API_URL is not set: set it to your Prefect server's URL, "
        "for example http://127.0.0.1:4200/api\n"
    )


def test_live_without_an_address_of_prefect_handles_nothing() -> None:
    with start("live") as running:
        said, errors = running.communicate(timeout=ENDED_S)

    assert (running.returncode, said) == (1, "")
    assert errors.startswith("timerex-ghl: PREFECT_API_URL is not set: set it to ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("unknown", ["e_00000000000000000000", "no-such-run"])
def test_explaining_what_nobody_knows_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, sqlite_url: str, unknown: str
) -> None:
    asyncio.run(publish_one(sqlite_url))
    monkeypatch.setenv("TIMEREX_GHL_LEDGER", sqlite_url)

    result = call("explain", unknown)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("timerex-ghl: no event ")
    assert unknown in result.stderr
    assert result.stderr.count("\n") == 1
