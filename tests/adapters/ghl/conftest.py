"""Ledgers and token worlds to test with."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.adapters.ghl.oauth_world import KEY, World
from tests.adapters.ghl.vendor import Vendor
from timerex_ghl.adapters.ledger.core import Ledger, open_ledger


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file with this version's tables: migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("ghl") / "ledger.db"

    async def migrate() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(migrate())
    return path


@pytest.fixture
def ledger_url(migrated: Path, tmp_path: Path) -> str:
    shutil.copy(migrated, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_url, key=KEY) as opened:
        yield opened


@pytest.fixture
async def world(ledger: Ledger) -> AsyncIterator[World]:
    vendor = Vendor()
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as http:
        yield World(ledger, vendor, http)
