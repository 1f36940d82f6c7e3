"""A world for each test: a ledger on either database, and a sandbox in a thread."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.activity_world import ActivityWorld, opened_activities
from tests.engine.calendar_world import CalendarWorld, opened_calendar
from tests.engine.polling_world import PollingWorld, opened_polling
from tests.engine.world import World, opened_world
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.sandbox.server import running_sandbox


@pytest.fixture
async def world(ledger: Ledger) -> AsyncIterator[World]:
    async with running_sandbox() as info, opened_world(ledger, info) as opened:
        yield opened


@pytest.fixture
async def polling(ledger: Ledger) -> AsyncIterator[PollingWorld]:
    """A world whose connection has an API key of TimeRex."""
    async with running_sandbox() as info, opened_polling(ledger, info) as opened:
        yield opened


@pytest.fixture
async def acts(ledger: Ledger) -> AsyncIterator[ActivityWorld]:
    """A world in which people write notes and tasks."""
    async with running_sandbox() as info, opened_activities(ledger, info) as opened:
        yield opened


@pytest.fixture
async def calendar(ledger: Ledger) -> AsyncIterator[CalendarWorld]:
    """A world whose bookings become appointments."""
    async with running_sandbox() as info, opened_calendar(ledger, info) as opened:
        yield opened


@pytest.fixture
def both(calendar: CalendarWorld) -> CalendarWorld:
    """A connection that may cancel in TimeRex."""
    return calendar.with_timerex().with_settings(cancels_in_timerex=True)
