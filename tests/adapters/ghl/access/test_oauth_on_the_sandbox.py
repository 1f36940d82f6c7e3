"""A client with OAuth tokens against the sandbox, end to end."""

import asyncio
from typing import Any

import httpx

from tests.adapters.ghl.access.oauth_world import auth_of_sandbox
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import LedgerRateLimiter
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits
from timerex_ghl.domain.shared.models import LocationId
from timerex_ghl.sandbox import SandboxInfo, running_sandbox


async def control(info: SandboxInfo, method: str, path: str, **body: object) -> Any:
    headers = {"Authorization": f"Bearer {info.control.token}"}
    async with httpx.AsyncClient(
        base_url=info.control.base_url, headers=headers, verify=NO_TLS
    ) as http:
        answer = await http.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def test_a_token_that_runs_out_in_mid_batch_is_refreshed_once(ledger: Ledger) -> None:
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS) as http:
        location_id = LocationId(info.ghl.location_id)
        auth = auth_of_sandbox(ledger, http, info.ghl)
        rate_limiter = LedgerRateLimiter(ledger, location_id, CallLimits(limit=100))
        client = GhlClient(
            http, auth, rate_limiter, base_url=info.ghl.base_url, location_id=location_id
        )
        await client.get_location()
        await control(info, "POST", "/ghl/expire_access")

        found = await asyncio.gather(*(client.get_location() for _ in range(12)))

        await client.close()
        calls = (await control(info, "GET", "/ghl/calls"))["calls"]
    assert {location.id for location in found} == {location_id}
    assert [call["status"] for call in calls if call["operation"] == "get-access-token"] == [
        200,
        200,
    ]
    assert sum(call["status"] == 200 for call in calls if call["operation"] == "get-location") == 13
