"""GHL reports that the app was uninstalled: checked, for it may predate our tokens."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.adapters.ghl.access.oauth_world import auth_of_sandbox
from tests.engine.world import World, opened_world
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.errors import CredentialsError
from timerex_ghl.sandbox import running_sandbox


@pytest.fixture
async def installed(ledger_url: str) -> AsyncGenerator[World]:
    """A connection with an app that is installed in the location."""
    key = SecretKey(Fernet.generate_key().decode())
    async with (
        running_sandbox() as info,
        open_ledger(ledger_url, key=key) as ledger,
        opened_world(ledger, info) as world,
        httpx.AsyncClient() as http,
    ):
        location = world.context.settings.ghl.location_id
        auth = auth_of_sandbox(ledger, http, info.ghl)
        ghl = GhlClient(http, auth, Unlimited(), base_url=info.ghl.base_url, location_id=location)
        yield World(replace(world.context, ghl=ghl), world.control)


async def ended(world: World) -> list[str]:
    location = world.context.settings.ghl.location_id
    return await world.ledger.read(oauth_tokens.ended_families, location)


async def test_writes_stop_and_all_that_waits_is_kept(installed: World) -> None:
    await installed.context.ghl.get_location()
    await installed.ask("POST", "/ghl/uninstall")
    event = await installed.notify("UNINSTALL", "")
    await installed.calls()

    with pytest.raises(CredentialsError, match="connect again"):
        await installed.handle(event)

    assert await installed.state_of(event) == "waiting"
    assert len(await ended(installed)) == 1, "the check alerts about it"
    with pytest.raises(CredentialsError):
        await installed.context.ghl.get_location()
    assert await installed.calls() == ["POST /oauth/token"]


async def test_one_that_is_older_than_the_install_changes_nothing(installed: World) -> None:
    await installed.context.ghl.get_location()
    event = await installed.notify("UNINSTALL", "")

    (outcome,) = await installed.handle(event)

    assert outcome.what == "no-op"
    assert await ended(installed) == []
    await installed.context.ghl.get_location()
