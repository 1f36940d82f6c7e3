"""The limits of the webhook endpoints, and requests refused before them."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway.given import PATIENT, TOKEN, publish, serving, settings_with
from tests.gateway.webhooks.ghl_sender import (
    JSON,
    PATH,
    PUBLIC,
    STRANGER,
    post,
    signed,
    stored,
    update,
)
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.gateway.app import build_gateway
from timerex_ghl.gateway.limits import GatewayLimits, Rate, SourceLimiter

BODY = update()
KB_64 = b" " * 64 * 1024
FEW = PATIENT._replace(requests=Rate(5, 0.001), failures=Rate(2, 0.001))


@pytest.fixture(autouse=True)
async def _published(ledger: Ledger) -> None:
    await publish(ledger, settings_with(TOKEN, keys=(PUBLIC,)))


@pytest.fixture
async def address(ledger: Ledger, ledger_url: str) -> AsyncIterator[str]:
    """The URL of a gateway with deadlines that no test reaches."""
    del ledger  # published the connection
    async with serving(ledger_url) as address:
        yield address


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = urlsplit(address)
    return await asyncio.open_connection(url.hostname, url.port)


async def exchange(address: str, *parts: bytes) -> bytes:
    """Send raw bytes; return the whole answer until the gateway closes."""
    reader, writer = await connect(address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:  # closed while still sending
        return b""
    finally:
        writer.close()


def head(*lines: str, path: str = PATH, host: str = "host: gateway.example") -> bytes:
    proof = f"x-ghl-signature: {signed(BODY)}"
    sent = [f"POST {path} HTTP/1.1", host, proof, "content-type: application/json", *lines]
    return "\r\n".join([line for line in sent if line] + ["", ""]).encode()


LENGTH, CLOSE = f"content-length: {len(BODY)}", "connection: close"
CHUNK = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"


async def test_a_plain_delivery_is_taken_with_a_length_and_in_chunks(
    address: str, ledger: Ledger
) -> None:
    for lines, body in (((LENGTH, CLOSE), BODY), (("transfer-encoding: chunked", CLOSE), CHUNK)):
        assert (await exchange(address, head(*lines), body)).startswith(b"HTTP/1.1 200 ")
    assert len(await stored(ledger)) == 1


ODD = {
    "both length headers": (head(LENGTH, "transfer-encoding: chunked"), CHUNK),
    "two lengths": (head(LENGTH, "content-length: 1"), BODY),
    "a bare LF for a header's end": (head(LENGTH).replace(b"\r\n\r\n", b"\n x\r\n\r\n"), BODY),
    "a bare LF in a chunk": (head("transfer-encoding: chunked"), CHUNK.replace(b"\r\n", b"\n", 1)),
    "no host": (head(LENGTH, host=""), BODY),
    "two hosts": (head(LENGTH, "host: gateway.example"), BODY),
    "a path for a host": (head(LENGTH, host="host: gateway.example/api?x="), BODY),
    "an encoded slash": (head(LENGTH, path="/webhooks%2Fghl"), BODY),
    "an encoded backslash": (head(LENGTH, path="/webhooks%5cghl"), BODY),
    "an encoded NUL": (head(LENGTH, path=f"{PATH}%00"), BODY),
}


@pytest.mark.parametrize(("start", "body"), ODD.values(), ids=ODD.keys())
async def test_what_two_readers_could_read_differently_is_refused(
    address: str, ledger: Ledger, start: bytes, body: bytes
) -> None:
    answered = await exchange(address, start, body)

    assert answered.startswith(b"HTTP/1.1 400 ")
    assert answered.count(b"HTTP/1.1 ") == 1
    assert await stored(ledger) == []


async def test_an_endless_body_in_chunks_is_refused_after_256_kb(
    address: str, ledger: Ledger
) -> None:
    sent = 0
    reader, writer = await connect(address)
    writer.write(head("transfer-encoding: chunked"))
    answering = asyncio.create_task(reader.readline())
    try:
        async with asyncio.timeout(60):
            while not answering.done():
                writer.write(b"10000\r\n" + KB_64 + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
                sent += len(KB_64)
    except ConnectionError:
        pass
    finally:
        writer.close()

    assert (await answering).startswith(b"HTTP/1.1 413 ")
    assert sent < 16 * 1024 * 1024
    assert await stored(ledger) == []


async def test_a_compressed_body_is_refused_unread(address: str) -> None:
    start = head("content-encoding: gzip", "content-length: 1000000000", CLOSE)

    assert (await exchange(address, start)).startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize("start", [b"", b"POST /webh", head(LENGTH)[:-2]], ids=len)
async def test_a_head_that_does_not_come_closes_the_connection(
    ledger_url: str, start: bytes
) -> None:
    async with serving(ledger_url, PATIENT._replace(head_deadline_s=0.2)) as address:
        assert await exchange(address, start) == b""


async def test_a_body_that_does_not_come_is_refused_and_the_connection_closed(
    ledger: Ledger, ledger_url: str
) -> None:
    async with serving(ledger_url, PATIENT._replace(body_deadline_s=0.2)) as address:
        answered = await exchange(address, head(LENGTH), BODY[:-1])

    assert answered.startswith(b"HTTP/1.1 408 ")
    assert await stored(ledger) == []


async def test_one_connection_too_many_is_asked_to_retry(
    ledger_url: str,
) -> None:
    async with serving(ledger_url, PATIENT._replace(connections=0)) as address:
        answered = await exchange(address)

    assert answered.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 10\r\n" in answered


class Callers:
    """One gateway, called from several addresses."""

    def __init__(
        self, ledger: Ledger, limits: GatewayLimits = FEW, *, hosts: tuple[str, ...] = ()
    ) -> None:
        self.app = build_gateway(ledger, limits=limits, hosts=hosts)

    def at(self, source: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(source, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.example")


async def test_only_the_names_of_the_allow_list_are_answered(ledger: Ledger) -> None:
    http = Callers(ledger, hosts=("Gateway.example",)).at("10.0.0.1")
    statuses: dict[str, int] = {}
    for host in (
        "gateway.example",
        "GATEWAY.EXAMPLE:443",
        "evil.example",
        "gateway.example.evil",
        "a b",
    ):
        headers = [*JSON.items(), ("x-ghl-signature", signed(BODY)), ("host", host)]
        statuses[host] = (await http.post(PATH, content=BODY, headers=headers)).status_code

    assert [*statuses.values()] == [200, 200, 400, 400, 400]


async def test_a_source_that_sends_too_much_waits_and_another_does_not(ledger: Ledger) -> None:
    callers = Callers(ledger)
    loud, calm = callers.at("10.0.0.1"), callers.at("10.0.0.2")

    answers = [await post(loud, BODY) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].headers["retry-after"] == "10"
    assert (await post(calm, BODY)).status_code == 200


@pytest.mark.parametrize("path", [PATH, "/webhooks/timerex/guessed"])
async def test_a_source_that_fails_is_turned_away_before_its_signature_is_looked_at(
    ledger: Ledger, path: str
) -> None:
    callers = Callers(ledger)
    forger = callers.at("2001:db8:0:1::1")
    for _ in range(2):
        assert (await forger.post(path, content=BODY, headers=JSON)).status_code in {401, 404}

    same_network, another = callers.at("2001:db8:0:1::2"), callers.at("2001:db8:0:2::1")
    assert (await post(forger, BODY)).status_code == 429
    assert (await post(same_network, BODY)).status_code == 429
    assert (await post(another, BODY)).status_code == 200


async def test_whoever_guesses_tokens_of_the_api_waits_and_the_endpoints_stay_open(
    ledger: Ledger,
) -> None:
    guesser = Callers(ledger).at("10.0.0.1")
    asked = [
        await guesser.get("/api/v1/contacts", headers={"authorization": f"Bearer guess-{n}"})
        for n in range(3)
    ]

    assert [answer.status_code for answer in asked] == [401, 401, 429]
    assert asked[-1].headers["content-type"] == "application/problem+json"
    assert asked[-1].headers["retry-after"] == "10"
    assert (await post(guesser, BODY)).status_code == 200


async def test_a_thousand_forged_deliveries_leave_nothing_and_keep_no_other_out(
    ledger: Ledger,
) -> None:
    callers = Callers(ledger, PATIENT)
    forger, ghl = callers.at("10.0.0.1"), callers.at("10.0.0.2")

    answers = await asyncio.gather(*(post(forger, BODY, STRANGER) for _ in range(1_000)))

    statuses = [answer.status_code for answer in answers]
    assert {*statuses} == {401, 429}
    assert await stored(ledger) == []
    assert (await post(ghl, BODY)).status_code == 200


@pytest.mark.slow
async def test_a_storm_is_taken_or_asked_to_retry_and_nothing_taken_is_lost(
    ledger: Ledger,
) -> None:
    http = Callers(ledger, PATIENT).at("10.0.0.1")
    answered: dict[str, int] = {}

    async def send(number: int) -> None:
        answer = await post(http, update(webhookId=f"w{number}"))
        answered[f"w{number}"] = answer.status_code

    await asyncio.gather(*(send(number) for number in range(2_000)))

    assert {*answered.values()} == {200, 429}
    assert len(await stored(ledger)) == [*answered.values()].count(200)
    for key in [key for key, status in answered.items() if status == 429]:
        while answered[key] != 200:
            await send(int(key[1:]))
    assert len(await stored(ledger)) == 2_000


def test_no_more_sources_are_kept_than_allowed_and_none_in_hand_is_forgotten() -> None:
    limiter = SourceLimiter(GatewayLimits(sources=10), clock=lambda: 0.0)
    blocked = limiter.enter("10.0.0.1")
    for number in range(5_000):
        source = limiter.enter(f"10.1.{number // 250}.{number % 250}")
        assert source is not None
        limiter.leave(source, failed=True)

    assert len(limiter.sources) <= 10
    assert limiter.sources["10.0.0.1"] is blocked


def test_what_is_in_hand_is_bounded_for_one_source_and_for_all() -> None:
    limiter = SourceLimiter(GatewayLimits(in_hand_each=2, in_hand=3), clock=lambda: 0.0)
    entered = [limiter.enter(address) for address in "aaabb"]

    assert [source is not None for source in entered] == [True, True, False, True, False]
    assert entered[0] is not None
    limiter.leave(entered[0], failed=False)
    assert limiter.enter("b") is not None


def test_a_source_is_let_in_again_with_time() -> None:
    now = 0.0
    limiter = SourceLimiter(GatewayLimits(requests=Rate(1, 0.5)), clock=lambda: now)

    assert limiter.enter("a") is not None
    assert limiter.enter("a") is None
    now = 2.0
    assert limiter.enter("a") is not None
