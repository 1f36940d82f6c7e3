"""A sandbox of its own for every test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sandbox.calling import NO_TLS, Caller
from timerex_ghl.sandbox import running_sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Caller]:
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS, timeout=60) as http:
        yield Caller(info, http)
