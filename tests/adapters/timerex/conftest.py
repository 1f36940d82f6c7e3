"""A sandbox and a ledger for each test of the REST client."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.adapters.ghl.access.oauth_world import KEY
from tests.adapters.timerex.api_world import ApiWorld
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.sandbox import running_sandbox


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def api(sqlite_url: str) -> AsyncIterator[ApiWorld]:
    async with (
        open_ledger(sqlite_url, key=KEY) as ledger,
        running_sandbox() as info,
        httpx.AsyncClient(verify=NO_TLS) as http,
    ):
        yield ApiWorld(ledger, info, http)
