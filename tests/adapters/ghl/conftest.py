"""Fixtures: ledgers, OAuth worlds and rate limiters."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.adapters.fake_time import FakeTime
from tests.adapters.ghl.access.oauth_world import KEY, OAuthWorld
from tests.adapters.ghl.rate_limited import AOBA, RateLimiterFactory
from tests.adapters.ghl.vendor import Vendor
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.shared.models import LocationId


@pytest.fixture
def ledger_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_url, key=KEY) as opened:
        yield opened


@pytest.fixture
async def world(ledger: Ledger) -> AsyncIterator[OAuthWorld]:
    vendor = Vendor()
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as http:
        yield OAuthWorld(ledger, vendor, http)


@pytest.fixture
async def rate_limiter_at(
    timed_ledger: Ledger, fake_time: FakeTime
) -> AsyncIterator[RateLimiterFactory]:
    """Makes rate limiters that use `fake_time`, and closes them."""
    made: list[LedgerRateLimiter] = []

    def make(call_limits: CallLimits, location_id: LocationId = AOBA) -> LedgerRateLimiter:
        made.append(LedgerRateLimiter(timed_ledger, location_id, call_limits, timer=fake_time))
        return made[-1]

    yield make
    for rate_limiter in made:
        await rate_limiter.close()
