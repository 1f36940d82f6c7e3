import asyncio
import socket
from typing import cast

import httpx
import pytest
from click.testing import CliRunner

from tests.adapters.timerex.deliveries import CONFIRMED, body_of
from tests.gateway.given import ENDPOINT, TOKEN, client_of, publish, serving, settings_with
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.cli import main
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.errors import RetryableError, SettingsError
from timerex_ghl.gateway.serve import run_gateway


class FailingLedger:
    """A ledger that does not answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def read(self, *_: object) -> None:
        raise self.error


def client_with(error: Exception) -> httpx.AsyncClient:
    return client_of(cast("Ledger", FailingLedger(error)))


async def test_a_gateway_with_its_ledger_is_alive_and_ready(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"alive": True}
    assert (await http.get("/readyz")).json() == {"ready": True}


async def test_a_gateway_without_its_ledger_is_alive_and_not_ready() -> None:
    async with client_with(RetryableError("no ledger")) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.post(f"/webhooks/timerex/{ENDPOINT}")).status_code == 429


async def test_a_fault_of_this_service_is_answered_with_an_id_only() -> None:
    async with client_with(ZeroDivisionError("canary")) as http:
        response = await http.get("/readyz")

    assert response.status_code == 500
    assert response.json().keys() == {"error"}
    assert "canary" not in response.text


async def test_the_process_says_where_it_answers_and_ends_on_sigterm(
    ledger: Ledger, ledger_url: str
) -> None:
    del ledger  # published the connection
    async with (
        serving(ledger_url) as address,
        httpx.AsyncClient(base_url=address, verify=NO_TLS, timeout=60) as http,
    ):
        headers = {"content-type": "application/json", "x-timerex-authorization": TOKEN}
        path = f"/webhooks/timerex/{ENDPOINT}"
        response = await http.post(path, content=body_of(CONFIRMED), headers=headers)

    assert response.json()["stored"] is True
    assert "server" not in response.headers


async def test_a_port_in_use_is_said_in_one_line(ledger_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} .*choose another --port"):
            await run_gateway(ledger_url, host="127.0.0.1", port=port, on_ready=print)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (settings_with(TOKEN, keys=()), "public key of GHL's webhooks"),
        (settings_with(), "token of TimeRex's webhooks"),
    ],
    ids=["GHL", "TimeRex"],
)
async def test_a_gateway_without_a_key_does_not_start_and_says_so_in_one_line(
    ledger: Ledger, ledger_url: str, settings: ConnectionSettings, missing: str
) -> None:
    await publish(ledger, settings)

    command = ["gateway", "--port", "0", "--ledger", ledger_url]
    result = await asyncio.to_thread(CliRunner().invoke, main, command)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"timerex-ghl: connection aoba has no {missing}: enter it in its block, and publish again\n"
    )
