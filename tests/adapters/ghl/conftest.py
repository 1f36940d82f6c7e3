"""Ledgers and token worlds to test with."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.adapters.ghl.oauth_world import KEY, World
from tests.adapters.ghl.vendor import Vendor
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_url, key=KEY) as opened:
        yield opened


@pytest.fixture
async def world(ledger: Ledger) -> AsyncIterator[World]:
    vendor = Vendor()
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as http:
        yield World(ledger, vendor, http)
