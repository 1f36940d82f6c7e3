"""A world of its own for each test of the OAuth tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.adapters.ghl.oauth_world import KEY, World
from tests.adapters.ghl.vendor import Vendor
from timerex_ghl.adapters.ledger.core import open_ledger


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    vendor = Vendor()
    async with (
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", key=KEY) as ledger,
        httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as http,
    ):
        yield World(ledger, vendor, http)
