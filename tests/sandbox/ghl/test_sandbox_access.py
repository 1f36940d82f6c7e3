"""Tokens, versions, scopes, limits and odd requests: every refusal of the gate."""

import pytest

from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import ManualClock

LIMIT_HEADERS = {
    "x-ratelimit-max",
    "x-ratelimit-remaining",
    "x-ratelimit-interval-milliseconds",
    "x-ratelimit-limit-daily",
    "x-ratelimit-daily-remaining",
    "x-ratelimit-daily-reset",
}


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("gone", "Invalid token: access token is invalid"),
        ("pit-gone", "Invalid Private Integration token"),
    ],
)
async def test_an_unknown_token_is_a_401(sandbox: SandboxCaller, token: str, message: str) -> None:
    answer = await sandbox.ghl("GET", "/contacts/x", token=token)

    assert answer.status_code == 401
    assert answer.json()["message"] == message
    assert answer.headers.keys() >= LIMIT_HEADERS


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "version header was not found."), ("2020-01-01", "version header is invalid")],
)
async def test_a_missing_or_unknown_version_is_a_401_too(
    sandbox: SandboxCaller, version: str | None, message: str
) -> None:
    answer = await sandbox.ghl("GET", "/contacts/x", version=version)

    assert (answer.status_code, answer.json()["message"]) == (401, message)


async def test_a_token_without_the_scope_may_read_and_not_write(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    minted = await sandbox.control("POST", "/ghl/tokens", scopes=["contacts.readonly"])
    token, path = minted["access_token"], f"/contacts/{contact['id']}"

    read = await sandbox.ghl("GET", path, token=token)
    write = await sandbox.ghl("PUT", path, {"city": "Osaka"}, token=token)

    assert read.status_code == 200
    assert write.status_code == 401
    assert write.json()["message"] == "The token is not authorized for this scope."


async def test_an_agency_token_may_not_call_a_location(sandbox: SandboxCaller) -> None:
    minted = await sandbox.control("POST", "/ghl/tokens", kind="agency")

    answer = await sandbox.ghl("GET", "/contacts/x", token=minted["access_token"])

    assert answer.status_code == 401
    assert answer.json()["message"].startswith("This authClass type is not allowed")


async def test_a_token_of_another_location_is_refused(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    minted = await sandbox.control("POST", "/ghl/tokens", location_id="elsewhere")

    for path in (f"/contacts/{contact['id']}", f"/locations/{sandbox.location_id}"):
        answer = await sandbox.ghl("GET", path, token=minted["access_token"])
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/mood"), ("PATCH", "/contacts/x"), ("GET", "/contacts/x/y")]
)
async def test_an_unknown_path_is_a_404_in_the_vendors_words(
    sandbox: SandboxCaller, method: str, path: str
) -> None:
    answer = await sandbox.ghl(method, path)

    body = answer.json()
    assert answer.status_code == 404
    assert body.pop("traceId")
    assert body == {
        "statusCode": 404,
        "message": f"Cannot {method} {path}",
        "error": "Not Found",
    }


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b"7", b"\xff", b'{"a": "\\ud800"}', b"[" * 5000, b'{"filters": ' + b"[" * 900],
)
async def test_a_malformed_body_is_a_400(sandbox: SandboxCaller, raw: bytes) -> None:
    for path in ("/contacts/", "/contacts/search"):
        assert (await sandbox.raw(path, raw)).status_code == 400


async def test_filters_nested_too_deeply_are_a_400(sandbox: SandboxCaller) -> None:
    depth = 490
    innermost = '{"field": "city", "operator": "exists"}'
    nested = '{"group": "AND", "filters": [' * depth + innermost + "]}" * depth
    raw = f'{{"locationId": "{sandbox.location_id}", "pageLimit": 1, "filters": [{nested}]}}'

    answer = await sandbox.raw("/contacts/search", raw.encode())

    assert answer.status_code == 400


async def test_a_collection_answers_without_its_last_slash_too(sandbox: SandboxCaller) -> None:
    answer = await sandbox.ghl("POST", "/contacts", {"locationId": sandbox.location_id})

    assert answer.status_code == 201


async def test_an_id_with_a_line_feed_is_refused_by_the_service(sandbox: SandboxCaller) -> None:
    answer = await sandbox.ghl("GET", "/contacts/%0A")

    assert answer.status_code == 400
    assert answer.json()["traceId"]


async def test_the_headers_count_down(timed: SandboxCaller) -> None:
    answers = [await timed.ghl("GET", "/contacts/x") for _ in range(2)]

    headers = [answer.headers for answer in answers]
    assert [int(h["x-ratelimit-remaining"]) for h in headers] == [99, 98]
    assert [int(h["x-ratelimit-daily-remaining"]) for h in headers] == [199_999, 199_998]
    assert headers[0]["x-ratelimit-interval-milliseconds"] == "10000"
    assert 0 < int(headers[0]["x-ratelimit-daily-reset"]) <= 86_400_000


async def test_the_call_over_the_limit_is_a_429_until_the_window_slides(
    timed: SandboxCaller, clock: ManualClock
) -> None:
    await timed.control("POST", "/ghl/limits", max=3, window_ms=300)

    statuses = [(await timed.ghl("GET", "/contacts/x")).status_code for _ in range(5)]
    clock.advance(0.35)
    later = await timed.ghl("GET", "/contacts/x")

    assert statuses == [400, 400, 400, 429, 429]
    assert later.status_code == 400
    assert later.headers["x-ratelimit-remaining"] == "2"


async def test_the_day_has_a_limit_and_limits_can_be_switched_off(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/limits", daily=1)

    statuses = [(await sandbox.ghl("GET", "/contacts/x")).status_code for _ in range(2)]
    await sandbox.control("POST", "/ghl/limits", enabled=False)

    assert statuses == [400, 429]
    assert (await sandbox.ghl("GET", "/contacts/x")).status_code == 400


async def test_each_app_has_a_limit_of_its_own(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/limits", max=1)

    private = [(await sandbox.ghl("GET", "/contacts/x")).status_code for _ in range(2)]
    oauth = await sandbox.ghl("GET", "/contacts/x", token=sandbox.info.ghl.access_token)

    assert private == [400, 429]
    assert oauth.status_code == 400
