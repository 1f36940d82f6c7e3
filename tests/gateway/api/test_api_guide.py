"""The guide's commands work as written, and its table lists every problem."""

import json
import re

import httpx
import pytest

from tests.gateway.api.given import api_client
from tests.paths import ROOT
from timerex_ghl.adapters.ledger.db.core import Ledger

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^curl (?:[^\n]|\n +)+", GUIDE, re.MULTILINE)


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


def filled(text: str, made: dict[str, str]) -> str:
    """Replace the guide's placeholders like `c_...` with the id of the last record of the kind."""
    return re.sub(r"\b([a-z]_)\.\.\.", lambda found: made[found[1]], text)


async def execute(api: httpx.AsyncClient, command: str, made: dict[str, str]) -> httpx.Response:
    """Send the request of a curl command in the guide."""
    body = re.search(r"-d '(.+?)'", command, re.DOTALL)
    method = re.search(r"-X (\w+)", command)
    where = re.search(r"\$API(/[^\s\"]+)", command)
    assert where is not None
    headers = dict(re.findall(r"""-H ["']([A-Za-z-]+): (.+?)["'](?= |$)""", command, re.MULTILINE))
    assert headers.pop("Authorization") == "Bearer $TOKEN"
    if body is not None:
        json.loads(body[1])
    return await api.request(
        method[1] if method else "POST" if body else "GET",
        filled(where[1], made),
        content=filled(body[1], made).encode() if body else None,
        headers=headers,
    )


async def test_every_command_of_the_guide_works(api: httpx.AsyncClient) -> None:
    made, statuses = dict[str, str](), list[int]()
    for command in COMMANDS:
        answer = await execute(api, command, made)
        statuses.append(answer.status_code)
        if answer.status_code == 201:
            made[answer.json()["id"][:2]] = answer.json()["id"]

    assert statuses == [200, 201, 200, 200, 204, 201, 200, 201, 201, 200, 201, 200, 204]


async def test_the_guide_names_every_problem(ledger: Ledger) -> None:
    folder = ROOT / "timerex_ghl" / "gateway" / "api"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    raised = {kind for text in texts for kind in re.findall(r'(?:\d{3},|\n) *"([a-z-]+)",', text)}
    table = {kind for row in re.findall(r"^\| [\d, ]+ \| (.+?) \|", GUIDE, re.MULTILINE)
             for kind in re.findall(r"`([a-z-]+)`", row)}  # fmt: skip

    assert table == raised
    async with api_client(ledger, None) as client:
        assert (await client.get("/contacts")).json()["type"].endswith(":no-token")
