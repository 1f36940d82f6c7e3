"""The sandbox as a program: prints one line of JSON, then runs until stopped."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

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
PROGRAM = "import asyncio, sys; from timerex_ghl.sandbox.server import run_sandbox; "
RUN = PROGRAM + "asyncio.run(run_sandbox(int(sys.argv[1]), as_json=sys.argv[2] == 'json'))"


def start(port: int, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", RUN, str(port), kind]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    with start(0, "json") as running:
        yield running
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_serves_until_a_signal(
    program: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert program.stdout is not None
    info = json.loads(program.stdout.readline())
    headers = {
        "authorization": f"Bearer {info['ghl']['access_token']}",
        "version": "2021-07-28",
    }
    url = f"{info['ghl']['base_url']}/locations/{info['ghl']['location_id']}"
    answer = httpx.get(url, headers=headers, trust_env=False, timeout=60)

    program.send_signal(number)
    rest, errors = program.communicate(timeout=60)

    assert {side: set(values) for side, values in info.items()} == KEYS
    assert answer.status_code == 200
    assert (program.returncode, rest, errors) == (0, "", "")


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start(port, "text") as running:
            out, errors = running.communicate(timeout=60)

    assert running.returncode == 1
    assert out == ""
    assert errors == f"timerex-ghl: port {port} cannot be used: Address already in use\n"
