"""Every method: its request, the parsed answer, and what it never sends."""

import json
import logging

import httpx
import pytest

from tests.adapters.ghl.case import MethodCase, values
from tests.adapters.ghl.line import NOTE, RIKU, line
from tests.adapters.ghl.methods import CASES, CONTACT
from tests.adapters.ghl.published import operation_of
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.domain.shared.errors import CredentialsError, ScopeError

every_method = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_method
async def test_a_method_is_one_request_just_as_published(case: MethodCase) -> None:
    async with line(httpx.Response(200, json=case.answer)) as sent:
        await case.call(sent.client)

    (request,) = sent.requests
    assert (request.method, request.url.path) == (case.method, case.path)
    assert dict(request.url.params) == (case.query or {})
    assert (json.loads(request.content) if request.content else None) == case.body
    assert request.headers["Version"] == case.version
    assert request.headers["Accept"] == "application/json"
    assert sent.tokens == ["Bearer pit-canary"]


@every_method
@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_is_one_and_its_answer_is_read(case: MethodCase, status: int) -> None:
    async with line(httpx.Response(status, json=case.answer)) as sent:
        assert case.read(await case.call(sent.client)) == case.expected


async def test_a_deletion_answered_without_a_word_is_done() -> None:
    async with line(httpx.Response(204), httpx.Response(200)) as sent:
        await sent.client.delete_contact(RIKU)
        await sent.client.delete_note(RIKU, NOTE)


async def test_a_plus_in_a_phone_number_is_not_sent_as_a_blank() -> None:
    async with line(httpx.Response(200, json={"contact": None})) as sent:
        await sent.client.find_duplicate(phone="+81312345678")

    assert b"number=%2B81312345678" in sent.requests[0].url.query


@pytest.mark.parametrize("key", ["tags", "locationId"])
async def test_what_would_harm_is_never_in_a_contacts_body(key: str) -> None:
    async with line() as sent:
        with pytest.raises((AssertionError, ValueError)):
            await sent.client.update_contact(RIKU, values(**{key: "x"}))
        with pytest.raises((AssertionError, ValueError)):
            await sent.client.create_contact(values(**{key: "x"}))

    assert sent.requests == []


async def test_another_locations_credentials_are_refused() -> None:
    other = {"location": {"id": "locKita", "name": "Kita"}}
    async with line(httpx.Response(200, json=other)) as sent:
        with pytest.raises(CredentialsError, match="locKita"):
            await sent.client.get_location()


async def test_a_contact_of_another_location_is_refused() -> None:
    other = {"contact": {**CONTACT, "locationId": "locKita"}}
    async with line(httpx.Response(200, json=other)) as sent:
        with pytest.raises(CredentialsError, match="locKita"):
            await sent.client.get_contact(RIKU)


async def test_nobodys_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with line(httpx.Response(200, json={"contact": CONTACT})) as sent:
        await sent.client.find_duplicate(email="riku@hinode.example")

    assert "hinode" not in caplog.text


WRITES = {name: case for name, case in CASES.items() if operation_of(case).writes}


async def test_a_token_that_may_only_read_reads() -> None:
    reader = PrivateToken("pit-canary", frozenset({"contacts.readonly"}))
    async with line(httpx.Response(200, json={"contact": CONTACT}), auth=reader) as sent:
        assert (await sent.client.get_contact(RIKU)).id == RIKU


@pytest.mark.parametrize("case", WRITES.values(), ids=WRITES.keys())
async def test_a_token_that_may_only_read_writes_nothing_and_names_what_it_lacks(
    case: MethodCase,
) -> None:
    scope = operation_of(case).scope
    reader = PrivateToken("pit-canary", frozenset({"contacts.readonly"}))
    async with line(auth=reader) as sent:
        with pytest.raises(ScopeError, match=f"{scope}.*Nothing was sent") as refused:
            await case.call(sent.client)

    assert refused.value.scope == scope
    assert sent.requests == []


async def test_where_scopes_are_not_known_ghl_answers() -> None:
    auth = PrivateToken("pit-canary", frozenset())
    async with line(httpx.Response(200, json={"tags": ["vip"]}), auth=auth) as sent:
        assert await sent.client.add_tags(RIKU, {"vip"}) == {"vip"}
