"""A gateway with one connection, on each database, and a client that may write."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.clock import SettableClock
from tests.gateway.api.given import api_client, new_token
from tests.gateway.given import TOKEN, publish, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions


@pytest.fixture
def ledger_url(either_url: str) -> str:
    return either_url


@pytest.fixture
async def ledger(ledger_url: str, clock: SettableClock) -> AsyncGenerator[Ledger]:
    async with open_ledger(ledger_url, options=LedgerOptions(clock=clock.now)) as opened:
        await publish(opened, settings_with(TOKEN))
        yield opened


@pytest.fixture
async def api(ledger: Ledger) -> AsyncGenerator[httpx.AsyncClient]:
    async with api_client(ledger, await new_token(ledger)) as client:
        yield client
