"""A booking is read back from TimeRex before its first write, if the rate limit allows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests import make
from tests.deliveries import confirmed
from tests.engine.world import NAME, World, opened_world
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.timerex.auth import ApiKey
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.adapters.timerex.operations import MINUTE
from timerex_ghl.adapters.timerex.rate_limiter import TimerexRateLimiter
from timerex_ghl.domain.bookings.verification import is_confirmed_by
from timerex_ghl.domain.shared.models import Booking, BookingId, BookingState
from timerex_ghl.sandbox.info import SandboxInfo
from timerex_ghl.sandbox.server import running_sandbox

RIKU = "riku@hinode.example"
GUEST = {"guest_name": "Riku Sato", "guest_email": RIKU, "starts_at": "2026-02-10T01:00:00Z"}


@pytest.fixture
async def info() -> AsyncIterator[SandboxInfo]:
    async with running_sandbox() as opened:
        yield opened


@pytest.fixture
def rate_limiter(ledger: Ledger, info: SandboxInfo) -> TimerexRateLimiter:
    return TimerexRateLimiter(ledger, ApiKey(info.timerex.api_key).owner)


@pytest.fixture
async def asking(
    ledger: Ledger, info: SandboxInfo, rate_limiter: TimerexRateLimiter
) -> AsyncIterator[World]:
    """A world whose connection has an API key."""
    async with opened_world(ledger, info) as world, httpx.AsyncClient() as http:
        auth = ApiKey(info.timerex.api_key)
        timerex = TimerexClient(http, auth, rate_limiter, base_url=info.timerex.base_url)
        yield replace(world, context=replace(world.context, timerex=timerex))


def test_hosts_addresses_are_no_news_of_a_booking_stored_before_they_were_read() -> None:
    stored = make.booking().model_dump(mode="json", exclude={"host_emails"})
    remote = make.booking(host_emails=("kana@aoba.example",))

    assert is_confirmed_by(Booking.model_validate(stored), remote)
    assert not is_confirmed_by(make.booking(host_emails=("jun@aoba.example",)), remote)


async def book(world: World, **changes: Any) -> dict[str, Any]:
    """Book as the guest; return what the webhook delivers."""
    event_id = (await world.ask("POST", "/timerex/bookings", GUEST))["event_id"]
    return confirmed(event_id, RIKU, **changes)


async def asked(world: World) -> list[str]:
    calls = (await world.ask("GET", "/timerex/calls"))["calls"]
    return [call["operation"] for call in calls]


async def is_verified(world: World, event_id: str) -> bool:
    row = await world.ledger.read(bookings.get_booking, NAME, BookingId(event_id))
    assert row is not None
    return row.verified


async def test_a_booking_that_timerex_confirms_is_verified(asking: World) -> None:
    body = await book(asking)

    (outcome,) = await asking.handle(await asking.receive(body))

    assert outcome.what == "applied"
    assert await is_verified(asking, body["event"]["id"])
    assert await asked(asking) == ["get-event"]


async def test_an_unknown_booking_is_kept_in_quarantine_and_nothing_is_written(
    asking: World,
) -> None:
    event = await asking.receive(confirmed("f0e1d2c3b4a5968778ff"))

    (outcome,) = await asking.handle(event)

    (review,) = await asking.ledger.read(reviews.open_reviews, NAME)
    assert (outcome.what, await asking.state_of(event)) == ("quarantined", "quarantined")
    assert (await asking.people(), await asking.crm()) == ([], [])
    assert "f0e1d2c3b4a5968778ff" in review.reason
    assert RIKU not in review.reason


async def test_a_booking_that_timerex_knows_by_now_leaves_quarantine_when_it_is_replayed(
    asking: World,
) -> None:
    fault = {"operation": "get-event", "kind": "status", "value": 404}
    await asking.ask("POST", "/timerex/faults", fault)
    event = await asking.receive(await book(asking))
    (first,) = await asking.handle(event)

    (second,) = await asking.handle(event, replay=True)

    assert (first.what, second.what) == ("quarantined", "applied")


@pytest.mark.parametrize("status", [400, 401, 429, 503])
async def test_without_an_answer_a_booking_counts_as_reported_and_is_not_verified(
    asking: World, status: int
) -> None:
    body = await book(asking)
    fault = {"operation": "get-event", "kind": "status", "value": status}
    await asking.ask("POST", "/timerex/faults", fault)

    (outcome,) = await asking.handle(await asking.receive(body))

    assert outcome.what == "applied"
    assert not await is_verified(asking, body["event"]["id"])


async def test_a_booking_of_another_team_is_kept_in_quarantine(asking: World) -> None:
    body = await book(asking)
    fault = {"operation": "get-event", "kind": "status", "value": 403}
    await asking.ask("POST", "/timerex/faults", fault)

    (outcome,) = await asking.handle(await asking.receive(body))

    assert outcome.what == "quarantined"


async def test_with_no_remaining_call_this_minute_nobody_waits_and_nobody_is_asked(
    asking: World, rate_limiter: TimerexRateLimiter
) -> None:
    body = await book(asking)
    await rate_limiter.pause([MINUTE], 60)

    async with asyncio.timeout(20):
        (outcome,) = await asking.handle(await asking.receive(body))

    assert outcome.what == "applied"
    assert not await is_verified(asking, body["event"]["id"])
    assert await asked(asking) == []


async def test_a_known_booking_is_not_asked_for_again(asking: World) -> None:
    body = await book(asking)
    await asking.handle(await asking.receive(body))
    event_id = body["event"]["id"]
    cancelled = {**body, "webhook_type": "event_cancelled"}

    await asking.handle(await asking.receive(cancelled))

    assert await asked(asking) == ["get-event"]
    assert not await is_verified(asking, event_id), "only a webhook reported the cancellation"


async def test_a_booking_that_timerex_reports_otherwise_is_not_verified_and_a_cancel_counts(
    asking: World,
) -> None:
    body = await book(asking)
    await asking.ask("POST", f"/timerex/bookings/{body['event']['id']}/cancel")

    await asking.handle(await asking.receive(body))

    row = await asking.ledger.read(bookings.get_booking, NAME, BookingId(body["event"]["id"]))
    assert row is not None
    assert (row.booking.state, row.verified) == (BookingState.CANCELLED, False)
    assert (await asking.one_in_crm(RIKU))["tags"] == ["timerex cancelled"]
