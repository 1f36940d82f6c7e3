"""OAuth tokens: refreshed once for all processes, saved before use, and never lost."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.adapters.ghl.access.oauth_world import KEY, NAME, TOKEN_URL, OAuthWorld, auth_of, refused
from tests.adapters.ghl.vendor import SCOPES, SEED, Vendor, served
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.oauth_tokens import StoredTokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.domain.shared.errors import RetryableError, SettingsError


async def test_the_seed_is_shown_once_and_its_successor_kept(world: OAuthWorld) -> None:
    auth = world.process()
    assert auth.scopes() == frozenset()

    assert await auth.token() == await auth.token() == "access-canary-1"

    assert auth.scopes() == frozenset(SCOPES.split())
    assert world.vendor.shown == [SEED]
    kept = await world.stored()
    assert kept.refresh.get_secret_value() == "refresh-canary-1"
    assert (kept.state, kept.in_doubt_since) == ("ok", None)


async def test_another_process_takes_what_the_ledger_has(world: OAuthWorld) -> None:
    await world.process().token()

    other = world.process()

    assert await other.token() == "access-canary-1"
    assert "contacts.write" in other.scopes()
    assert world.vendor.shown == [SEED]


async def test_a_refused_token_is_refreshed_once_for_all(world: OAuthWorld) -> None:
    everyone = [world.process() for _ in range(4)]
    first = await asyncio.gather(*(auth.token() for auth in everyone for _ in range(5)))

    second = await asyncio.gather(*(auth.token(first[0]) for auth in everyone for _ in range(5)))

    assert {*first} == {"access-canary-1"}
    assert {*second} == {"access-canary-2"}
    assert world.vendor.shown == [SEED, "refresh-canary-1"]


PROCESSES, ROUNDS = 8, 20


def refuse_rounds(ledger_url: str, url: str, key: str) -> list[str]:
    """Refuse one token after another, in another process."""

    async def run() -> list[str]:
        async with (
            open_ledger(ledger_url, key=SecretKey(key)) as ledger,
            httpx.AsyncClient(verify=NO_TLS) as http,
        ):
            auth = auth_of(ledger, http, url)
            taken = [await auth.token()]
            for _ in range(ROUNDS):
                taken.append(await auth.token(taken[-1]))
            return taken

    return asyncio.run(run())


@pytest.mark.slow
async def test_eight_processes_that_refuse_at_once_show_each_refresh_token_once(
    either_url: str,
) -> None:
    key = Fernet.generate_key().decode()
    vendor, loop = Vendor(), asyncio.get_running_loop()
    vendor.repeats = False
    spawned = multiprocessing.get_context("spawn")
    with served(vendor) as url, ProcessPoolExecutor(PROCESSES, spawned) as pool:
        job = either_url, url, key
        taken = await asyncio.gather(
            *(loop.run_in_executor(pool, refuse_rounds, *job) for _ in range(PROCESSES))
        )

    assert len(vendor.shown) == len({*vendor.shown})
    numbers = [int(token.rpartition("-")[2]) for token in vendor.shown]
    assert numbers == [*range(len(numbers))], "each one is the last one's successor"
    issued = {f"access-canary-{number}" for number in range(1, len(numbers) + 1)}
    assert {token for tokens_of_one in taken for token in tokens_of_one} == issued
    assert [len({*tokens_of_one}) for tokens_of_one in taken] == [ROUNDS + 1] * PROCESSES


@pytest.mark.parametrize(("remaining", "shown"), [(14, 2), (16, 1)])
async def test_a_token_is_refreshed_a_quarter_of_an_hour_early(
    remaining: int, shown: int, world: OAuthWorld
) -> None:
    await world.process().token()
    await world.save(expires_at=datetime.now(UTC) + timedelta(minutes=remaining))

    await world.process().token()

    assert len(world.vendor.shown) == shown


async def test_a_short_lived_token_is_used_until_ghl_refuses_it(world: OAuthWorld) -> None:
    world.vendor.expires_in = 60
    auth = world.process()

    assert await auth.token() == await auth.token() == "access-canary-1"
    assert await auth.token("access-canary-1") == "access-canary-2"


async def test_a_cancelled_caller_loses_nothing(world: OAuthWorld) -> None:
    auth = world.process()
    answering, answered = asyncio.Event(), asyncio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        answer = await world.vendor(request)
        answering.set()
        await answered.wait()
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(slowly)) as http:
        auth = auth_of(world.ledger, http, TOKEN_URL)
        calling = asyncio.create_task(auth.token())
        await answering.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        answered.set()
        world.vendor.repeats = False

        assert await auth.token() == "access-canary-1"

    assert world.vendor.shown == [SEED]


async def test_who_finds_the_lock_of_a_dead_process_takes_over(world: OAuthWorld) -> None:
    await world.ledger.write(locks.try_lock, [f"token:{NAME}"], "dead", 0.3)

    assert await world.process().token() == "access-canary-1"


async def test_a_holder_that_was_paused_cannot_save_an_old_pair(world: OAuthWorld) -> None:
    await world.process().token()
    paused = world.process()

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        answer = await world.vendor(request)
        newer = {"access": "access-canary-9", "refresh": "refresh-canary-9"}
        now = await world.stored()
        changed = StoredTokens.model_validate({**dict(now), **newer, "in_doubt_since": None})
        await world.ledger.write(
            oauth_tokens.save_tokens, changed, KEY, expected_version=now.version
        )
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(meanwhile)) as http:
        paused = auth_of(world.ledger, http, TOKEN_URL)
        assert isinstance(await refused(paused, "access-canary-1"), RetryableError)

    assert await paused.token("access-canary-1") == "access-canary-9"
    assert (await world.stored()).refresh.get_secret_value() == "refresh-canary-9"


async def test_a_process_without_the_key_is_reported_so(ledger_url: str) -> None:
    async with open_ledger(ledger_url) as ledger, httpx.AsyncClient(verify=NO_TLS) as http:
        with pytest.raises(SettingsError, match="workers only"):
            await auth_of(ledger, http, TOKEN_URL).token()
