"""A sandbox of its own for every test."""

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sandbox.calling import Caller
from timerex_ghl.sandbox import running_sandbox

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody and is made at once: everything here is plain HTTP on loopback."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Caller]:
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS) as http:
        yield Caller(info, http)
