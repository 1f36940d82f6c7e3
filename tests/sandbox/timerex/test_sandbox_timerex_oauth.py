"""TimeRex's OAuth: codes, tokens of an hour, refresh tokens of one use, and revoking."""

import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.timerex.timerex_calling import TimerexCaller


@pytest.fixture
def timerex(sandbox: SandboxCaller) -> TimerexCaller:
    return TimerexCaller(sandbox)


async def test_a_code_is_exchanged_once(timerex: TimerexCaller) -> None:
    minted = await timerex.control("POST", "/codes")
    form = {"grant_type": "authorization_code", **minted}

    first, second = await timerex.form(**form), await timerex.form(**form)

    assert first.json().keys() == {"token_type", "expires_in", "access_token", "refresh_token"}
    assert first.json()["expires_in"] == 3600
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_token_is_good_for_one_use_without_a_repeat(
    timerex: TimerexCaller,
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": timerex.info.refresh_token}

    first, second = await timerex.form(**form), await timerex.form(**form)
    third = await timerex.form(**{**form, "refresh_token": first.json()["refresh_token"]})

    assert [one.status_code for one in (first, second, third)] == [200, 400, 200]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong", "grant_type": "refresh_token"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "redirect_uri": "x"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "invalid_grant"),
    ],
)
async def test_a_bad_exchange_is_refused(
    timerex: TimerexCaller, form: dict[str, str], status: int, error: str
) -> None:
    answer = await timerex.form(**form)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("way", ["revoked", "expired", "short"])
async def test_an_access_token_ends(timerex: TimerexCaller, way: str) -> None:
    if way == "short":
        await timerex.control("POST", "/oauth", expires_in_s=0)
    token = (await timerex.control("POST", "/tokens"))["access_token"]
    if way == "revoked":
        assert (await timerex.api("POST", "/token/revoke", token=token)).status_code == 200
    if way == "expired":
        await timerex.control("POST", "/expire_access")

    assert (await timerex.api("GET", "/user/me", token=token)).status_code == 401


async def test_a_key_cannot_be_revoked_as_a_token(timerex: TimerexCaller) -> None:
    assert (await timerex.api("POST", "/token/revoke")).status_code == 400
