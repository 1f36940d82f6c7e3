"""Calendars, from the block to the published connection, on the real Prefect server."""

from blocks.ghl import RECOMMENDED_SCOPES
from flows.publish_connection import publish_connection
from tests.flows.conftest import Drafts, Engine
from timerex_ghl.adapters.ledger.tables.operations import published

RIGHTS = "calendars.readonly calendars/events.readonly calendars/events.write"
SCOPES = {"scopes": f"{RECOMMENDED_SCOPES} {RIGHTS}"}


async def test_a_calendar_that_is_there_is_published(engine: Engine, drafts: Drafts) -> None:
    calendar_id = engine.stage.sandbox.ghl["calendar_id"]
    name = await drafts.save(ghl={**drafts.ghl, **SCOPES}, calendars=f"* = {calendar_id}")

    state = await engine.here(publish_connection, name)

    version = await engine.stage.ledger.read(published.current, name)
    assert state.is_completed(), state.message
    assert version is not None
    (rule,) = version.settings.appointments.calendars
    assert (rule.timerex, rule.ghl) == ("*", calendar_id)


async def test_one_that_is_not_there_is_refused_and_nothing_is_published(
    engine: Engine, drafts: Drafts
) -> None:
    name = await drafts.save(ghl={**drafts.ghl, **SCOPES}, calendars="* = nowhere1")

    state = await engine.here(publish_connection, name)

    assert state.is_failed()
    assert "GHL has no calendar nowhere1 in this location" in (state.message or "")
    assert await engine.stage.ledger.read(published.current, name) is None
