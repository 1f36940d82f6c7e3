"""Both values of what TimeRex and GHL's users changed are kept in the ledger, once."""

import json

import pytest
from sqlalchemy import text

from tests.deliveries import confirmed, moved
from tests.engine.calendar_world import NAME, CalendarWorld
from timerex_ghl.adapters.ledger.tables.operations import reviews

RECORDED = text("SELECT subject, detail, decision FROM reviews")


@pytest.mark.both_databases
async def test_both_values_are_on_record_where_a_rule_resolves_them(
    calendar: CalendarWorld,
) -> None:
    await calendar.receive(confirmed())
    await calendar.edit(
        (await calendar.one()).id, endTime="2026-02-10T03:00:00Z", ignoreFreeSlotValidation=True
    )

    event = await calendar.world.receive(moved("b1", "b2")[1])
    await calendar.world.handle(event)
    await calendar.world.handle(event, replay=True)

    rows = await calendar.world.ledger.read(lambda tx: [*tx.execute(RECORDED)])
    assert [
        (subject, json.loads(detail)["ghl"], decision) for subject, detail, decision in rows
    ] == [("booking:b2:ends_at", "2026-02-10T03:00:00+00:00", "workspace")]
    assert await calendar.world.ledger.read(reviews.open_reviews, NAME) == []
