"""Failing refreshes: which are retried, and which need a person."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from tests.adapters.ghl.access.oauth_world import TOKEN_URL, OAuthWorld, auth_of, refused
from tests.adapters.ghl.vendor import SECRET, SEED
from timerex_ghl.adapters.ghl.access.token_endpoint import TokenEndpoint
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    RateLimitedError,
    RetryableError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import LocationId


def lost(answer: httpx.Response) -> httpx.Response:
    del answer
    raise httpx.ReadError("canary")


def cut(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=answer.content[:20])


def instead(status: int, **body: object) -> Callable[[httpx.Response], httpx.Response]:
    return lambda _answer: httpx.Response(status, json=body)


@pytest.mark.parametrize("trouble", [lost, cut, instead(500), instead(200, ok=True)])
async def test_an_answer_that_was_lost_is_asked_for_again_at_once(
    trouble: Callable[[httpx.Response], httpx.Response], world: OAuthWorld
) -> None:
    world.vendor.next = trouble

    assert isinstance(await refused(world.process()), UnknownOutcomeError)
    in_doubt = await world.stored()

    assert in_doubt.in_doubt_since is not None
    assert await world.process().token() == "access-canary-1"
    assert world.vendor.shown == [SEED, SEED]
    assert (await world.stored()).in_doubt_since is None


async def test_an_answer_asked_for_too_late_needs_a_person(world: OAuthWorld) -> None:
    world.vendor.next = lost
    await refused(world.process())
    world.vendor.repeats = False

    error = await refused(world.process())

    assert isinstance(error, CredentialsError)
    assert "connect again" in str(error)
    assert (await world.stored()).state == "reconnect"


async def test_a_dead_connection_asks_nobody_any_more(world: OAuthWorld) -> None:
    auth = world.process()
    taken = await auth.token()
    world.vendor.next = instead(400, error="invalid_grant")
    await refused(auth, taken)

    for process in (auth, auth, world.process()):
        assert isinstance(await refused(process), CredentialsError)

    assert world.vendor.shown == [SEED, "refresh-canary-1"]


async def test_an_app_that_was_uninstalled_is_found_out_by_asking(world: OAuthWorld) -> None:
    auth = world.process()
    await auth.token()
    world.vendor.next = instead(400, error="invalid_grant")

    with pytest.raises(CredentialsError, match="connect again"):
        await auth.check_install()

    assert (await world.stored()).state == "reconnect"


async def test_an_app_that_is_still_installed_goes_on_with_new_tokens(world: OAuthWorld) -> None:
    auth = world.process()
    taken = await auth.token()

    await auth.check_install()

    assert await auth.token() != taken
    assert (await world.stored()).state == "ok"


async def test_a_new_refresh_token_in_the_block_revives_the_connection(world: OAuthWorld) -> None:
    world.vendor.next = instead(400)
    await refused(world.process())
    world.vendor.install_again("seed-canary-b")

    revived = world.process(seed="seed-canary-b")

    assert await revived.token() == "access-canary-2"
    assert (await world.stored()).state == "ok"


async def test_an_older_process_never_brings_a_spent_seed_back(world: OAuthWorld) -> None:
    older = world.process()
    taken = await older.token()
    world.vendor.install_again("seed-canary-b")
    newer = await world.process(seed="seed-canary-b").token()

    assert await older.token(taken) == newer
    assert await world.process().token() == newer, "one that starts with the older block"
    assert world.vendor.shown == [SEED, "seed-canary-b"]


async def test_a_wrong_client_secret_spends_nothing(world: OAuthWorld) -> None:
    error = await refused(world.process(secret="wrong-canary"))

    assert isinstance(error, CredentialsError)
    assert "client secret" in str(error)
    kept = await world.stored()
    assert (kept.state, kept.in_doubt_since) == ("ok", None)
    assert await world.process().token() == "access-canary-1"


@pytest.mark.parametrize("status", [301, 307, 403, 404, 422])
async def test_a_wrong_address_spends_nothing(status: int, world: OAuthWorld) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        assert request.url == TOKEN_URL, "the secret follows no redirect"
        return httpx.Response(status, headers={"Location": "https://elsewhere.example/"})

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
        error = await refused(auth_of(world.ledger, http, TOKEN_URL))

    assert isinstance(error, CredentialsError)
    assert "token address" in str(error)
    assert await world.process().token() == "access-canary-1"


async def test_too_many_refreshes_wait(world: OAuthWorld) -> None:
    world.vendor.next = lambda _: httpx.Response(429, headers={"Retry-After": "7"})

    error = await refused(world.process())

    assert isinstance(error, RateLimitedError)
    assert error.after_s == 7
    assert (await world.stored()).in_doubt_since is None


async def test_what_was_never_sent_leaves_no_doubt(world: OAuthWorld) -> None:
    def down(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("canary")

    async with httpx.AsyncClient(transport=httpx.MockTransport(down)) as http:
        error = await refused(auth_of(world.ledger, http, TOKEN_URL))

    assert isinstance(error, RetryableError)
    assert not isinstance(error, UnknownOutcomeError)
    assert (await world.stored()).in_doubt_since is None


async def test_an_older_doubt_stays_when_nothing_could_be_sent(world: OAuthWorld) -> None:
    world.vendor.next = lost
    await refused(world.process())
    before = (await world.stored()).in_doubt_since

    def down(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("canary")

    async with httpx.AsyncClient(transport=httpx.MockTransport(down)) as http:
        await refused(auth_of(world.ledger, http, TOKEN_URL))

    assert before is not None
    assert (await world.stored()).in_doubt_since == before


@pytest.mark.parametrize(
    "extra", [{"locationId": "locHinode"}, {"userType": "Company", "locationId": None}]
)
async def test_another_locations_tokens_are_refused_and_never_used(
    extra: dict[str, object], world: OAuthWorld
) -> None:
    world.vendor.extra = extra

    error = await refused(world.process())

    assert isinstance(error, CredentialsError)
    assert "another location" in str(error)
    kept = await world.stored()
    assert (kept.access, kept.state) == (None, "reconnect")
    await refused(world.process())
    assert world.vendor.shown == [SEED]


async def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(world: OAuthWorld) -> None:
    world.vendor.extra = {"refresh_token": None, "scope": None, "locationId": None}

    await world.process().token()

    assert (await world.stored()).refresh.get_secret_value() == SEED


async def test_the_endpoint_is_not_waited_for_for_ever() -> None:
    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
        location_id = LocationId("locAoba")
        endpoint = TokenEndpoint(http, TOKEN_URL, "app", SECRET, location_id, deadline_s=0.05)
        async with asyncio.timeout(60):
            with pytest.raises(UnknownOutcomeError, match="TimeoutError"):
                await endpoint.refresh(SecretStr(SEED))
