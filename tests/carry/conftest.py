"""A world for each test: a ledger on either database, and a sandbox in a thread."""

from collections.abc import AsyncIterator

import pytest

from tests.carry.world import World, opened_world
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.sandbox.server import running_sandbox


@pytest.fixture
async def world(ledger: Ledger) -> AsyncIterator[World]:
    async with running_sandbox() as info, opened_world(ledger, info) as opened:
        yield opened
