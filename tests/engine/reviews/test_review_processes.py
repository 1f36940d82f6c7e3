"""Two people resolve one review at the same moment, each in a process of their own."""

import asyncio
import json
import sys

import pytest

from tests.engine.reviews.test_resolve_review import CITY, both, disputed, reported, the_review_of
from tests.engine.world import opened_world
from tests.paths import ROOT
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.sandbox.server import running_sandbox

_FINISH = """
import asyncio, json, sys
import httpx
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.engine.reviews.resolve_review import resolve
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.domain.connections.settings import PublishedConnection
from timerex_ghl.domain.reviews.review_decisions import Decision

async def main(url, version, token, review_id, decision):
    version = PublishedConnection.model_validate_json(version)
    ghl = version.settings.ghl
    async with open_ledger(url) as ledger, httpx.AsyncClient() as http:
        auth = PrivateToken(token, ghl.scopes)
        client = GhlClient(
            http, auth, Unlimited(), base_url=ghl.base_url, location_id=ghl.location_id
        )
        print("ready", flush=True)
        sys.stdin.readline()
        resolved = await resolve(
            SyncContext(version, ledger, client), review_id, Decision.model_validate_json(decision)
        )
        print(resolved.in_words())

asyncio.run(main(*json.loads(sys.stdin.readline())))
"""


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """Start a process that is about to resolve, and wait until it is ready to."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FINISH, stdin=pipe, stdout=pipe, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(arguments).encode() + b"\n")
    assert await process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.both_databases
async def test_two_processes_at_once_have_one_effect_and_two_audit_rows(
    ledger: Ledger, ledger_url: str
) -> None:
    async with running_sandbox() as info, opened_world(ledger, info) as opened:
        world, riku = await disputed(opened)
        review = await the_review_of(world, CITY)
        version = world.context.published.model_dump_json()
        processes = [
            await start(ledger_url, version, info.ghl.private_token, review.id, decision)
            for decision in (
                '{"way": "keep", "keep": "workspace", "by": "kana"}',
                '{"way": "keep", "keep": "ghl", "by": "noa"}',
            )
        ]

        ended = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

        assert [process.returncode for process in processes] == [0, 0]
        late = ["was already resolved" in out.decode() for out, _ in ended]
        assert sorted(late) == [False, True]
        kept = "Kobe" if late[0] else "Nara"
        assert await both(world, riku, CITY) == (kept, kept)
        assert sorted(await reported(world)) == ["review resolved", "review was already resolved"]
