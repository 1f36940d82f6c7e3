from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.clock import SettableClock
from tests.gateway.given import TOKEN, client_of, publish, settings_with
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clock() -> SettableClock:
    """The clock of the ledger."""
    return SettableClock()


@pytest.fixture
async def ledger(ledger_url: str, clock: SettableClock) -> AsyncGenerator[Ledger]:
    async with open_ledger(ledger_url, options=LedgerOptions(clock=clock.now)) as opened:
        await publish(opened, settings_with(TOKEN))
        yield opened


@pytest.fixture
async def http(ledger: Ledger) -> AsyncGenerator[httpx.AsyncClient]:
    async with client_of(ledger) as client:
        yield client
