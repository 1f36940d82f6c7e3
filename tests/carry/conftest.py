"""A world for each test: an SQLite ledger, and a sandbox in a thread."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.carry.world import World, opened_world
from timerex_ghl.adapters.ledger.core import open_ledger
from timerex_ghl.sandbox.server import running_sandbox


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("carry") / "ledger.db"

    async def migrate() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(migrate())
    return path


@pytest.fixture
async def world(migrated: Path, tmp_path: Path) -> AsyncIterator[World]:
    path = tmp_path / "ledger.db"
    shutil.copy(migrated, path)
    async with (
        open_ledger(f"sqlite:///{path}") as ledger,
        running_sandbox() as info,
        opened_world(ledger, info) as opened,
    ):
        yield opened
