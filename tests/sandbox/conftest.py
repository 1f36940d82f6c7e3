"""A sandbox of its own for every test."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.loopback import NO_TLS
from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import HANG_S, ManualClock, SkippingClock
from timerex_ghl.sandbox import running_sandbox
from timerex_ghl.sandbox.core.clock import MachineClock


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxCaller]:
    async with calling(MachineClock()) as caller:
        yield caller


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def timed(clock: ManualClock) -> AsyncIterator[SandboxCaller]:
    """A sandbox whose clock stands still until the test moves it."""
    async with calling(clock) as caller:
        yield caller


@pytest.fixture
def skipping() -> SkippingClock:
    return SkippingClock()


@pytest.fixture
async def hurried(skipping: SkippingClock) -> AsyncIterator[SandboxCaller]:
    """A sandbox that never sleeps, and records the lengths of its sleeps."""
    async with calling(skipping) as caller:
        yield caller


@asynccontextmanager
async def calling(clock: MachineClock) -> AsyncGenerator[SandboxCaller]:
    async with (
        running_sandbox(clock) as info,
        httpx.AsyncClient(verify=NO_TLS, timeout=HANG_S) as http,
    ):
        yield SandboxCaller(info, http)
