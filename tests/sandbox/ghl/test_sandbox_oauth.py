"""The token endpoint: refresh tokens work once, with thirty seconds to ask again."""

import pytest

from tests.sandbox.calling import SandboxCaller


async def test_a_refresh_gives_a_new_pair_and_a_repeat_gives_the_same(
    sandbox: SandboxCaller,
) -> None:
    first = await sandbox.refresh(sandbox.info.ghl.refresh_token)
    repeat = await sandbox.refresh(sandbox.info.ghl.refresh_token)

    pair = first.json()
    assert pair["refresh_token"] != sandbox.info.ghl.refresh_token
    assert repeat.json()["access_token"] == pair["access_token"]
    assert repeat.json()["refresh_token"] == pair["refresh_token"]
    assert pair["expires_in"] == 86_399
    assert pair["userType"] == "Location"
    assert pair["locationId"] == sandbox.location_id
    assert "contacts.write" in pair["scope"].split()
    answer = await sandbox.ghl(
        "GET", f"/locations/{sandbox.location_id}", token=pair["access_token"]
    )
    assert answer.status_code == 200


async def test_a_spent_token_used_later_ends_the_whole_install(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/oauth", repeat_s=0)
    spent = sandbox.info.ghl.refresh_token
    pair = (await sandbox.refresh(spent)).json()

    late = await sandbox.refresh(spent)

    assert late.status_code == 400
    assert late.json()["error"] == "invalid_grant"
    assert (await sandbox.refresh(pair["refresh_token"])).status_code == 400
    answer = await sandbox.ghl("GET", "/contacts/x", token=pair["access_token"])
    assert answer.status_code == 401


async def test_an_expired_access_token_is_refused_and_its_refresh_token_works(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/expire_access")

    refused = await sandbox.ghl("GET", "/contacts/x", token=sandbox.info.ghl.access_token)
    pair = (await sandbox.refresh(sandbox.info.ghl.refresh_token)).json()
    private = await sandbox.ghl("GET", "/contacts/x")

    assert refused.json()["message"] == "Invalid token: access token is invalid"
    answer = await sandbox.ghl("GET", "/contacts/x", token=pair["access_token"])
    assert (answer.status_code, private.status_code) == (400, 400)


async def test_access_tokens_run_out_by_themselves(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/oauth", expires_in_s=0)
    minted = await sandbox.control("POST", "/ghl/tokens", kind="oauth")

    answer = await sandbox.ghl("GET", "/contacts/x", token=minted["access_token"])

    assert answer.status_code == 401
    assert (await sandbox.refresh(minted["refresh_token"])).status_code == 200


async def test_a_code_is_exchanged_once(sandbox: SandboxCaller) -> None:
    code = (await sandbox.control("POST", "/ghl/codes", scopes=["contacts.readonly"]))["code"]

    first = await sandbox.form(grant_type="authorization_code", code=code)
    second = await sandbox.form(grant_type="authorization_code", code=code)

    assert first.json()["scope"] == "contacts.readonly"
    assert second.status_code == 400


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "gone"}, 400),
        ({"grant_type": "refresh_token"}, 400),
        ({"grant_type": "password"}, 400),
        ({"grant_type": "refresh_token", "client_secret": "wrong"}, 401),
        ({}, 422),
    ],
)
async def test_a_bad_exchange_is_refused(
    sandbox: SandboxCaller, form: dict[str, str], status: int
) -> None:
    assert (await sandbox.form(**form)).status_code == status
