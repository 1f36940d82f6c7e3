"""Agency tokens: allowed calls, and the exchange for a location's token."""

import pytest

from tests.sandbox.calling import SandboxCaller

NOT_ALLOWED = "This authClass type is not allowed to access this scope."


@pytest.fixture
async def agency(sandbox: SandboxCaller) -> str:
    return (await sandbox.control("POST", "/ghl/tokens", kind="agency"))["access_token"]


async def exchange(sandbox: SandboxCaller, token: str, **form: str) -> tuple[int, dict[str, str]]:
    answer = await sandbox.http.post(
        f"{sandbox.info.ghl.base_url}/oauth/locationToken",
        data=form,
        headers={"authorization": f"Bearer {token}", "version": "2021-07-28"},
    )
    return answer.status_code, answer.json()


async def company(sandbox: SandboxCaller) -> str:
    answer = await sandbox.ghl("GET", f"/locations/{sandbox.location_id}")
    return answer.json()["location"]["companyId"]


async def test_an_agency_takes_a_locations_token_that_works_there(
    sandbox: SandboxCaller, agency: str
) -> None:
    form = {"companyId": await company(sandbox), "locationId": sandbox.location_id}

    status, answer = await exchange(sandbox, agency, **form)

    assert status == 200
    assert (answer["locationId"], answer["expires_in"]) == (sandbox.location_id, 86_399)
    assert "refresh_token" not in answer
    users = f"/users/?locationId={sandbox.location_id}"
    assert (await sandbox.ghl("GET", users, token=answer["access_token"])).status_code == 200
    await sandbox.control("POST", "/ghl/expire_access")
    assert (await sandbox.ghl("GET", users, token=answer["access_token"])).status_code == 401


async def test_only_an_agency_may_exchange_and_only_its_own(
    sandbox: SandboxCaller, agency: str
) -> None:
    form = {"companyId": await company(sandbox), "locationId": sandbox.location_id}

    location, said = await exchange(sandbox, sandbox.info.ghl.private_token, **form)
    other_company, _ = await exchange(sandbox, agency, **{**form, "companyId": "other"})
    other_location, _ = await exchange(sandbox, agency, **{**form, "locationId": "other"})
    gap, faults = await exchange(sandbox, agency, companyId=form["companyId"])

    assert (location, said["message"]) == (401, NOT_ALLOWED)
    assert (other_company, other_location) == (403, 400)
    assert (gap, faults["message"]) == (422, ["locationId should not be empty"])


async def test_an_agency_lists_where_its_app_is_installed(
    sandbox: SandboxCaller, agency: str
) -> None:
    path = f"/oauth/installedLocations?companyId={await company(sandbox)}&appId=app"

    installed = (await sandbox.ghl("GET", path, token=agency)).json()
    without = (await sandbox.ghl("GET", f"{path}&isInstalled=false", token=agency)).json()

    assert [found["_id"] for found in installed["locations"]] == [sandbox.location_id]
    assert (installed["count"], without["locations"]) == (1, [])


async def test_some_calls_are_for_agencies_too(sandbox: SandboxCaller, agency: str) -> None:
    both = (f"/locations/{sandbox.location_id}", f"/users/{sandbox.info.ghl.user_id}")
    locations_only = f"/users/?locationId={sandbox.location_id}"

    for path in both:
        assert (await sandbox.ghl("GET", path, token=agency)).status_code == 200
    refused = await sandbox.ghl("GET", locations_only, token=agency)
    assert (refused.status_code, refused.json()["message"]) == (401, NOT_ALLOWED)
