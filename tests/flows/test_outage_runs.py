"""Runs while GHL does not answer: one fails, later ones are skipped; the live worker goes on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.contact_sync import contact_sync
from flows.watch import watch
from tests.deliveries import confirmed
from tests.flows.conftest import Drafts, Engine
from tests.flows.live_worker import deliver, ended, living, until
from tests.flows.test_activity_mirror import in_crm
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.sync import cursors, outages
from timerex_ghl.cli.doctor.checks import check_services
from timerex_ghl.domain.monitoring.outage import Outage
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.engine.context import utc_now

DOWN = {"operation": "*", "kind": "status", "value": 503, "every": 1}


@asynccontextmanager
async def outage_of_ghl(engine: Engine) -> AsyncGenerator[None]:
    await engine.stage.sandbox.send("POST", "/ghl/faults", DOWN)
    try:
        yield
    finally:
        await engine.stage.sandbox.send("DELETE", "/ghl/faults")


async def lasting(engine: Engine, name: ConnectionName) -> list[Outage]:
    return await engine.stage.ledger.read(outages.list_outages, name)


@pytest.mark.slow
async def test_a_run_fails_when_an_outage_begins_and_later_ones_are_skipped(
    engine: Engine, drafts: Drafts
) -> None:
    name = await drafts.publish()
    async with outage_of_ghl(engine):
        first = await engine.here(contact_sync, name)
        (outage,) = await lasting(engine, name)
        second = await engine.here(contact_sync, name)
        with (
            temporary_settings({PREFECT_API_URL: engine.api.url}),
            pytest.raises(SettingsError, match=r"GHL has not answered since .*: 0 events wait"),
        ):
            await check_services(name)

    assert first.is_failed()
    assert "GHL answered 503" in (first.message or "")
    assert (second.name, second.is_completed()) == ("Skipped", True)
    assert f"{outage.in_words()}: nothing done" == second.message


async def test_a_long_outage_is_reported_once(engine: Engine, drafts: Drafts) -> None:
    name = await drafts.publish()
    since = utc_now() - timedelta(minutes=6)
    await engine.stage.ledger.write(outages.open_outage, name, "GHL", "no answer", since)

    states = [await engine.here(watch), await engine.here(watch)]
    reported = await engine.stage.ledger.read(cursors.get_cursor, name, "outage-GHL")
    (outage,) = await lasting(engine, name)
    await engine.stage.ledger.write(outages.close_outage, outage)

    assert all("a service does not answer" in (state.message or "") for state in states)
    assert reported == outage.since.isoformat()


@pytest.mark.slow
@pytest.mark.usefixtures("idle_pool")
async def test_the_live_worker_waits_for_the_end_of_an_outage_and_goes_on_by_itself(
    engine: Engine, ready: ConnectionName
) -> None:
    async with living(engine):
        async with outage_of_ghl(engine):
            event_id = await deliver(engine, ready, confirmed("outage-1", "yui@outage.example"))

            async def is_known() -> list[Outage] | None:
                return await lasting(engine, ready) or None

            await until(is_known, "the outage")
            late = await deliver(engine, ready, confirmed("outage-2", "rei@outage.example"))

        assert await ended(engine, event_id) is InboxState.APPLIED
        assert await ended(engine, late) is InboxState.APPLIED
        event = await engine.stage.ledger.read(inbox.read_event, event_id)

    assert event is not None
    assert event.attempts == 0
    assert len((await in_crm(engine, "yui@outage.example"))["notes"]) == 1
    assert await lasting(engine, ready) == []
