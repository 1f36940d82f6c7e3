"""TimeRex's API key, from the block to a booking read back, on the real Prefect server."""

import json
from datetime import UTC, datetime

from flows.booking_to_crm import booking_to_crm
from flows.publish_connection import publish_connection
from tests.flows.conftest import Drafts, Engine
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.domain.shared.models import BookingId

GUEST = {
    "guest_name": "Mei Umi",
    "guest_email": "mei.readback@umi.example",
    "starts_at": "2026-02-10T01:00:00Z",
}


async def test_a_published_key_is_tried_and_reads_bookings_back(
    engine: Engine, drafts: Drafts
) -> None:
    info = engine.stage.sandbox.timerex
    key = {"api_key": info["api_key"], "base_url": info["base_url"]}
    name = await drafts.save(timerex={**drafts.timerex, **key})

    published = await engine.here(publish_connection, name)
    event_id = (await engine.stage.sandbox.send("POST", "/timerex/bookings", GUEST))["event_id"]
    deliveries = (await engine.stage.sandbox.send("GET", "/timerex/deliveries"))["deliveries"]
    (delivery,) = [one for one in deliveries if one["event_id"] == event_id]
    body = (await engine.stage.sandbox.send("GET", f"/timerex/deliveries/{delivery['id']}"))["body"]
    inbox_id, _ = await engine.stage.ledger.write(
        inbox.store_event,
        connection=name,
        source="timerex",
        type=json.loads(body)["webhook_type"],
        dedupe_key=event_id,
        body=body,
        now=datetime.now(UTC),
    )
    handled = await engine.here(booking_to_crm, name, [inbox_id])

    row = await engine.stage.ledger.read(bookings.get_booking, name, BookingId(event_id))
    assert "TimeRex shows 2 calendars" in (published.message or "")
    assert handled.is_completed(), handled.message
    assert row is not None
    assert row.verified


async def test_a_wrong_key_is_refused_and_nothing_is_published(
    engine: Engine, drafts: Drafts
) -> None:
    wrong = {"api_key": "k" * 64, "base_url": engine.stage.sandbox.timerex["base_url"]}
    name = await drafts.save(timerex={**drafts.timerex, **wrong})

    state = await engine.here(publish_connection, name)

    assert state.is_failed()
    assert "TimeRex does not accept the API key" in (state.message or "")
