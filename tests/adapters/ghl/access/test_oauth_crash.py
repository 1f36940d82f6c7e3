"""A refresh interrupted between GHL's answer and our saving it, and what is on the disk."""

import asyncio
from pathlib import Path

import httpx

from tests.adapters.database_events import failing_statements
from tests.adapters.ghl.access.oauth_world import TOKEN_URL, OAuthWorld, auth_of, refused
from tests.adapters.ghl.vendor import SEED
from timerex_ghl.domain.shared.errors import RetryableError


async def test_a_pair_that_could_not_be_saved_is_asked_for_again(
    world: OAuthWorld,
) -> None:
    taken = await world.process().token()

    with failing_statements("UPDATE tokens SET version", RetryableError("the disk is full")):
        assert isinstance(await refused(world.process(), taken), RetryableError)
    in_doubt = await world.stored()

    assert in_doubt.in_doubt_since is not None
    assert await world.process().token(taken) == "access-canary-2"
    assert world.vendor.shown == [SEED, "refresh-canary-1", "refresh-canary-1"]
    assert (await world.stored()).refresh.get_secret_value() == "refresh-canary-2"


async def test_a_process_killed_after_the_answer_is_repaired_by_the_next(world: OAuthWorld) -> None:
    answered = asyncio.Event()

    async def answer_and_hang(request: httpx.Request) -> httpx.Response:
        await world.vendor(request)
        answered.set()
        await asyncio.Event().wait()
        raise AssertionError

    before = asyncio.all_tasks()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer_and_hang)) as http:
        asyncio.create_task(auth_of(world.ledger, http, TOKEN_URL).token())  # noqa: RUF006  killed
        await answered.wait()
        killed = asyncio.all_tasks() - before
        for task in killed:
            task.cancel()
        await asyncio.gather(*killed, return_exceptions=True)

    assert await world.process().token() == "access-canary-1"
    assert world.vendor.shown == [SEED, SEED]


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_no_file_of_the_ledger_contains_a_token_in_clear(
    world: OAuthWorld, tmp_path: Path
) -> None:
    await world.process().token(await world.process().token())

    files = contents_of(tmp_path)

    assert len(world.vendor.shown) == 2
    assert b"app:locAoba" in files["ledger.db"] + files["ledger.db-wal"], "the row is there"
    assert not [name for name, content in files.items() if b"-canary" in content]
