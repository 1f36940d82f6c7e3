"""Sending requests: tokens, redirects, deadlines, and broken connections."""

import asyncio
import socket
from collections import deque

import httpx
import pytest

from tests.adapters.fake_time import HANG_S
from tests.adapters.ghl.line import CANARIES, EVERY_SCOPE, RIKU, bad_server, client_of, line
from tests.adapters.ghl.methods import CONTACT, values
from tests.loopback import NO_TLS
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    FatalError,
    RetryableError,
    SkippableError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import GhlContactId

REFUSED = {"message": "Invalid token: access token is invalid"}
FOUND = {"contact": CONTACT}


class TokenSequence:
    """Returns one token after another."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = deque(tokens)
        self.rejected: list[str] = []

    async def token(self, rejected: str | None = None) -> str:
        if rejected is not None:
            self.rejected.append(rejected)
            self.tokens.popleft()
        return self.tokens[0]

    def scopes(self) -> frozenset[str]:
        return EVERY_SCOPE

    async def check_install(self) -> None:
        await self.token(rejected=self.tokens[0])


@pytest.mark.parametrize("message", [REFUSED["message"], "Token has expired", "jwt malformed"])
async def test_a_refused_token_is_replaced_and_the_call_repeated(message: str) -> None:
    auth = TokenSequence("old", "new")
    answers = httpx.Response(401, json={"message": message}), httpx.Response(200, json=FOUND)
    async with line(*answers, auth=auth) as sent:
        await sent.client.update_contact(RIKU, values(city="Sendai"))

    first, second = sent.requests
    assert sent.tokens == ["Bearer old", "Bearer new"]
    assert (first.method, first.url, first.content) == (second.method, second.url, second.content)
    assert auth.rejected == ["old"]


async def test_a_token_is_replaced_once_never_twice() -> None:
    auth = TokenSequence("old", "new", "newer")
    answers = [httpx.Response(401, json=REFUSED)] * 2
    async with line(*answers, auth=auth) as sent:
        with pytest.raises(CredentialsError):
            await sent.client.get_contact(RIKU)

    assert sent.tokens == ["Bearer old", "Bearer new"]
    assert auth.rejected == ["old"]


@pytest.mark.parametrize(
    "message",
    [
        "version header was not found.",
        "The token is not authorized for this scope.",
        "This authClass type is not allowed to access this scope.",
    ],
)
async def test_a_refusal_of_something_else_costs_no_token(message: str) -> None:
    auth = TokenSequence("old", "new")
    async with line(httpx.Response(401, json={"message": message}), auth=auth) as sent:
        with pytest.raises(FatalError):
            await sent.client.get_contact(RIKU)

    assert auth.rejected == []


async def test_a_private_token_that_is_refused_cannot_be_replaced() -> None:
    message = "Invalid Private Integration token"
    async with line(httpx.Response(401, json={"message": message})) as sent:
        with pytest.raises(CredentialsError, match="create a new one") as refused:
            await sent.client.get_contact(RIKU)

    assert not [canary for canary in CANARIES if canary in str(refused.value)]


async def test_a_redirect_is_not_followed_even_where_the_http_client_would() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/"})

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
        with pytest.raises(FatalError):
            await client_of(http, "https://ghl.example").add_tags(RIKU, {"vip"})

    assert asked == ["https://ghl.example/contacts/riku1/tags"]


@pytest.mark.parametrize("id_", ["", "..", "a/b", "a?b", "a b", "../locations/kita", "あ", "a\n"])
async def test_what_is_no_id_never_becomes_part_of_an_address(id_: str) -> None:
    async with line() as sent:
        with pytest.raises(SkippableError):
            await sent.client.delete_contact(GhlContactId(id_))

    assert sent.requests == []


async def test_a_slow_drip_ends_at_the_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with asyncio.timeout(HANG_S), bad_server(drip, deadline_s=0.1) as client:
        with pytest.raises(UnknownOutcomeError):
            await client.add_tags(RIKU, {"vip"})
        with pytest.raises(RetryableError) as read:
            await client.get_contact(RIKU)

    assert not isinstance(read.value, UnknownOutcomeError)


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound and not listening
        async with httpx.AsyncClient(verify=NO_TLS) as http:
            with pytest.raises(RetryableError, match="not sent") as refused:
                await client_of(http, f"http://127.0.0.1:{port}").add_tags(RIKU, {"vip"})

    assert not isinstance(refused.value, UnknownOutcomeError)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"tags": ["v',
        b'HTTP/1.1 200 OK\r\n\r\n{"tags": ["v',
        b"no HTTP at all\r\n\r\n",
    ],
    ids=["dropped", "in the head", "in the body", "without a length", "not HTTP"],
)
async def test_an_answer_cut_short_leaves_a_write_unknown(answer: bytes) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with bad_server(cut) as client:
        with pytest.raises(UnknownOutcomeError):
            await client.add_tags(RIKU, {"vip"})
        with pytest.raises(RetryableError) as read:
            await client.get_contact(RIKU)

    assert not isinstance(read.value, UnknownOutcomeError)


async def test_whoever_is_stopped_while_waiting_is_not_reported_of_an_outage() -> None:
    asked = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        del writer
        asked.set()
        await asyncio.Event().wait()

    async with bad_server(wait) as client:
        calling = asyncio.create_task(client.add_tags(RIKU, {"vip"}))
        await asked.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
