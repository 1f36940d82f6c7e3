"""OAuth against the sandbox: an access token lives an hour, a refresh token works once."""

import asyncio

import pytest

from tests.adapters.timerex.api_world import ApiWorld
from timerex_ghl.domain.shared.errors import CredentialsError, RetryableError


async def test_one_refresh_serves_every_process_and_the_next_one_uses_the_new_token(
    api: ApiWorld,
) -> None:
    await asyncio.gather(api.by_oauth().get_user(), api.by_oauth().get_user())
    await api.by_oauth().get_user()
    first = (await api.calls()).count("get-access-token")

    await api.control("POST", "/expire_access")
    await api.by_oauth().get_user()

    assert first == 1
    assert (await api.calls()).count("get-access-token") == 2


async def test_a_refused_token_is_renewed_once_and_the_call_sent_again(api: ApiWorld) -> None:
    client = api.by_oauth()
    await client.get_user()
    await api.control("POST", "/expire_access")

    assert (await client.get_user()).name == "Mori Kana"
    assert (await api.calls())[-3:] == [
        "get-user-information",
        "get-access-token",
        "get-user-information",
    ]


async def test_a_spent_refresh_token_asks_for_a_new_connection_and_is_not_shown(
    api: ApiWorld,
) -> None:
    timerex = api.info.timerex
    form = {
        "grant_type": "refresh_token",
        "client_id": timerex.client_id,
        "client_secret": timerex.client_secret,
        "refresh_token": timerex.refresh_token,
    }
    await api.http.post(timerex.token_url, data=form)  # another program used it

    with pytest.raises(CredentialsError, match="connect again") as raised:
        await api.by_oauth().get_user()

    assert timerex.refresh_token not in repr(raised.value)
    assert "TimeRex" in str(raised.value)
    assert "GHL" not in str(raised.value)


async def test_a_new_connection_is_taken_over_from_the_block(api: ApiWorld) -> None:
    await api.by_oauth().get_user()
    minted = await api.control("POST", "/tokens")

    assert (await api.by_oauth(minted["refresh_token"]).get_user()).id


async def test_a_lost_answer_of_a_refresh_is_tried_once_and_ends_in_connecting_again(
    api: ApiWorld,
) -> None:
    await api.fault("get-access-token", "drop_after_commit")

    with pytest.raises(RetryableError):
        await api.by_oauth().get_user()
    with pytest.raises(CredentialsError, match="connect again"):
        await api.by_oauth().get_user()
