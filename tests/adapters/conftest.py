"""A ledger with a fake clock."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.fake_time import FakeTime
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.db.options import LedgerOptions


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def timed_ledger(ledger_url: str, fake_time: FakeTime) -> AsyncIterator[Ledger]:
    """An open, empty ledger whose clock is `fake_time`."""
    async with open_ledger(ledger_url, options=LedgerOptions(clock=fake_time.now)) as opened:
        yield opened
