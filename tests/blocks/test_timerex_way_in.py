"""The TimeRex block's credentials, checked against the sandbox as on publishing."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import pytest

from blocks import TimeRexCredentials
from blocks.draft import ghl_settings_of, settings_of
from tests.blocks.drafts import draft, timerex
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.errors import CredentialsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.sandbox import SandboxInfo, running_sandbox

KEY = SecretKey("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")


class Desk(NamedTuple):
    """What publishing needs: a ledger, the sandbox, and an HTTP client."""

    ledger: Ledger
    info: SandboxInfo
    http: httpx.AsyncClient

    def entered(self, **fields: str) -> TimeRexCredentials:
        known = {"base_url": self.info.timerex.base_url, "token_url": self.info.timerex.token_url}
        return timerex(**{**known, **fields})

    async def try_out(self, block: TimeRexCredentials, **changes: Any) -> int | None:
        form = draft(timerex=block, **changes)
        settings = settings_of(ConnectionName("aoba"), form, ghl_settings_of(form), "JP", None)
        return await block.count_calendars(settings.timerex, self.ledger, self.http)


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    async with (
        open_ledger(sqlite_url, key=KEY) as ledger,
        running_sandbox() as info,
        httpx.AsyncClient(verify=NO_TLS, timeout=60) as http,
    ):
        yield Desk(ledger, info, http)


async def test_without_credentials_nobody_is_asked(desk: Desk) -> None:
    assert await desk.try_out(timerex()) is None


@pytest.mark.parametrize("rate_limit", [True, False])
async def test_a_key_shows_the_calendars_of_its_team(desk: Desk, *, rate_limit: bool) -> None:
    block = desk.entered(api_key=f" {desk.info.timerex.api_key}\n")

    assert await desk.try_out(block, rate_limit=rate_limit) == 2


async def test_an_oauth_app_shows_the_calendars_of_all_the_users_teams(desk: Desk) -> None:
    info = desk.info.timerex
    block = desk.entered(
        client_id=info.client_id,
        client_secret=info.client_secret,
        refresh_token=info.refresh_token,
    )

    assert await desk.try_out(block) == 3
    assert await desk.try_out(block) == 3, "the seed is used once, then its successors"


async def test_a_wrong_key_is_refused_in_one_line_that_does_not_repeat_it(desk: Desk) -> None:
    with pytest.raises(CredentialsError, match="does not accept the API key") as raised:
        await desk.try_out(desk.entered(api_key="canary" * 10 + "0123"))

    assert "canary" not in str(raised.value)
