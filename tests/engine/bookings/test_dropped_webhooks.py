"""Every tenth webhook of both services is lost: after one cycle of polls both sides agree."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.engine.polling_world import PollingWorld
from tests.engine.world import NAME
from tests.receiver import Receiver, open_receiver
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.demo.checker import Truth, disagreements
from timerex_ghl.domain.shared.record_ref import RecordRef

GUESTS = 30
PEOPLE = 30


@dataclass
class Lossy:
    """Both services' webhooks, of which every tenth is dropped, and the receiver of the others.

    Attributes:
        taken: How many of the received ones are in the inbox.
    """

    polling: PollingWorld
    endpoint: Receiver
    taken: int = 0

    async def dropped(self, service: str) -> int:
        """Wait until every delivery is received or dropped; return how many were dropped."""
        states: dict[str, int] = {"waiting": 1}
        async with asyncio.timeout(60):
            while states.get("waiting"):
                await asyncio.sleep(0.05)
                path = f"/{service}/deliveries/counts"
                states = (await self.polling.world.ask("GET", path))["states"]
        return states.get("dropped", 0)

    async def handle_deliveries(self) -> None:
        """Store deliveries as the gateway does, and process them, until no more arrive."""
        while True:
            for service in ("timerex", "ghl"):
                await self.dropped(service)
            if self.taken == len(self.endpoint.raw):
                return
            new, self.taken = self.endpoint.raw[self.taken :], len(self.endpoint.raw)
            for raw in new:
                await self._store(raw)
            await self.polling.handle()

    async def _store(self, raw: bytes) -> None:
        body: dict[str, Any] = json.loads(raw)
        is_booking = "webhook_type" in body
        await self.polling.world.ledger.write(
            inbox.store_event,
            connection=NAME,
            source="timerex" if is_booking else "ghl",
            type=body["webhook_type"] if is_booking else body["type"],
            dedupe_key=read_delivery(raw).dedupe_key if is_booking else body["webhookId"],
            body=raw.decode(),
            now=datetime.now(UTC),
            record=RecordRef("booking", body["event"]["id"])
            if is_booking
            else RecordRef("ghl", body["id"]),
        )

    async def cycle(self) -> None:
        """Run each poll once, and process what they put into the inbox."""
        await self.polling.poll()
        await self.polling.handle()
        await self.polling.world.sync()

    async def disagreements(self, truths: list[Truth]) -> list[str]:
        world = self.polling.world
        return disagreements(await world.people(), await world.crm(), truths)


@pytest.fixture
async def lossy(polling: PollingWorld) -> AsyncIterator[Lossy]:
    await polling.world.ask("POST", "/ghl/bulk", {"count": PEOPLE})
    await polling.world.sync()
    async with open_receiver() as endpoint:
        for service in ("timerex", "ghl"):
            await polling.world.ask("POST", f"/{service}/webhook", {"url": endpoint.url()})
            fault = {"kind": "drop", "every": 10, "nth": 3}
            await polling.world.ask("POST", f"/{service}/webhook/faults", fault)
        yield Lossy(polling, endpoint)


async def live(polling: PollingWorld) -> list[Truth]:
    """Let guests book, cancel and move, and people edit the CRM."""
    truths: list[Truth] = []
    for number in range(GUESTS):
        email = f"guest{number}@umi.example"
        booking_id = await polling.book(hours=24 + number, guest_email=email)
        match number % 3:
            case 0:
                truths.append(Truth(email, "Booked"))
            case 1:
                await polling.cancel(booking_id)
                truths.append(Truth(email, "Cancelled"))
            case _:
                await polling.move(booking_id, hours=100 + number)
                truths.append(Truth(email, "Moved from"))
    for number, contact in enumerate(await polling.world.crm()):
        edit = {"city": f"Kyoto {number}"} if number % 2 else {"tags": ["vip", f"t{number}"]}
        await polling.world.ask("PATCH", f"/ghl/contacts/{contact['id']}", edit)
    for number in range(PEOPLE):
        made = {"firstName": "Yui", "email": f"new{number}@yama.example", "city": "Nara"}
        await polling.world.ask("POST", "/ghl/contacts", made)
    return truths


@pytest.mark.parametrize("lists_cancelled", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_with_every_tenth_webhook_lost_both_systems_agree_after_one_cycle(
    lossy: Lossy, *, lists_cancelled: bool
) -> None:
    world = lossy.polling.world
    await world.ask("POST", "/timerex/settings", {"lists_cancelled": lists_cancelled})

    truths = await live(lossy.polling)
    await lossy.handle_deliveries()
    lost = await lossy.dropped("timerex"), await lossy.dropped("ghl")
    before = await lossy.disagreements(truths)
    await lossy.cycle()
    after = await lossy.disagreements(truths)

    assert min(lost) >= 5
    assert before, "the lost webhooks make a difference"
    assert after == []


@pytest.mark.slow
async def test_after_that_nothing_is_written_any_more(lossy: Lossy) -> None:
    truths = await live(lossy.polling)
    await lossy.handle_deliveries()
    await lossy.cycle()
    await lossy.handle_deliveries()  # our own writes came back
    await lossy.polling.world.calls()

    await lossy.cycle()

    assert await lossy.polling.world.writes() == []
    assert await lossy.polling.waiting() == []
    assert await lossy.disagreements(truths) == []
