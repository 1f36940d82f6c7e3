"""How flows end: on the real Prefect server, in this process."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.booking_to_crm import booking_to_crm
from flows.contact_sync import Mode, Scope, contact_sync
from flows.publish_connection import publish_connection
from flows.watch import watch
from tests.flows.conftest import Drafts, Engine, add_person
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, published
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.runtime import Runtime, use_runtime
from timerex_ghl.engine.writes.lock_names import lock_of_job
from timerex_ghl.engine.writes.locking import locked


def slow(*values: object) -> Any:
    """Run an example only in `make proof`: it takes seconds, and the rule has its own tests."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ghl": {"private_token": "pit-nonsense"}}, "does not accept the private integration"),
        slow({"ghl": {"private_token": ""}}, "ghl: enter a private integration token, or an OAuth"),
        slow({"ghl": {"base_url": "http://127.0.0.1:9"}}, "127.0.0.1 cannot be reached"),
        slow({"location_id": "someOtherLocation1"}, "check that the credentials belong to this"),
        slow({"timerex": {"webhook_token": "short"}}, "timerex.webhook_token: enter at least 32"),
        (
            {"rules": [{"field": "frist_name", "ghl": "firstName"}]},
            "mapping: frist_name: no such field here; enter first_name",
        ),
        slow(
            {"rules": [{"field": "custom.size", "ghl": "customFields.nonsense"}]},
            "the location has no custom field 'nonsense'",
        ),
    ],
)
async def test_a_wrong_draft_is_refused_in_one_line_and_nothing_is_published(
    engine: Engine,
    drafts: Drafts,
    wrong: dict[str, Any],
    said: str,
) -> None:
    name = await drafts.save(**wrong)

    state = await engine.here(publish_connection, name)

    assert state.is_failed()
    assert said in (state.message or "")
    assert await engine.stage.ledger.read(published.current, name) is None


async def test_an_unknown_connection_is_refused_in_one_line(engine: Engine, drafts: Drafts) -> None:
    del drafts
    nobody = ConnectionName("nobody")

    published_state = await engine.here(publish_connection, nobody)
    synced_state = await engine.here(contact_sync, nobody)

    assert "no block TimeRex GHL Connection named nobody" in (published_state.message or "")
    assert "connection nobody is not published" in (synced_state.message or "")


async def test_an_unknown_event_is_refused_by_its_id(engine: Engine, ready: ConnectionName) -> None:
    state = await engine.here(booking_to_crm, ready, ["e_nonsense"])

    assert state.is_failed()
    assert f"no such event in the inbox of {ready}: e_nonsense" in (state.message or "")


async def test_a_token_that_may_only_read_pulls_and_names_the_scope_it_lacks(
    engine: Engine, drafts: Drafts
) -> None:
    scopes = ["contacts.readonly"]
    minted = await engine.stage.sandbox.send("POST", "/ghl/tokens", {"scopes": scopes})
    ghl = {"private_token": minted["access_token"], "scopes": " ".join(scopes)}
    unknown = await engine.here(publish_connection, await drafts.save(ghl=ghl))
    name = await drafts.publish(ghl=ghl, region="JP")

    pulled = await engine.here(contact_sync, name)
    await add_person(engine, name, email="pull.only@umi.example")
    writes = await engine.stage.sandbox.writes()
    pushed = await engine.here(contact_sync, name)

    assert "region: enter your two-letter country code" in (unknown.message or "")
    assert pulled.is_completed()
    assert pushed.is_failed()
    assert "the token lacks contacts.write, which contact.create needs" in (pushed.message or "")
    assert await engine.stage.sandbox.writes() == writes


async def test_a_second_run_of_the_same_job_says_who_has_it_and_does_nothing(
    engine: Engine, ready: ConnectionName
) -> None:
    names = [lock_of_job(ready, "contact-sync")]
    async with locked(engine.stage.ledger, names, run_id="the-other-run"):
        with use_runtime(Runtime(lease_wait_s=0)):
            state = await engine.here(contact_sync, ready)

    assert (state.name, state.is_completed()) == ("Skipped", True)
    assert "the-other-run" in (state.message or "")


async def test_records_set_aside_end_a_run_as_needs_review(engine: Engine, drafts: Drafts) -> None:
    name = await drafts.publish()
    await engine.here(contact_sync, name)
    await add_person(engine, name, first_name="Nameless")

    state = await engine.here(contact_sync, name, Scope.INCREMENTAL, Mode.APPLY)
    again = await engine.here(contact_sync, name)

    assert (state.name, state.is_completed()) == ("NeedsReview", True)
    assert "1 for review" in (state.message or "")
    assert again.name == "Completed", "an open review is not retried unchanged"


@pytest.mark.slow
async def test_an_outage_is_retried_by_the_task_and_done_work_is_kept(
    engine: Engine, drafts: Drafts
) -> None:
    name = await drafts.publish()
    await engine.here(contact_sync, name)
    fault = {"operation": "create-contact", "nth": 2, "kind": "status", "value": 429}
    await engine.stage.sandbox.send("POST", "/ghl/faults", fault)
    for number in range(3):
        await add_person(engine, name, email=f"outage{number}@umi.example")

    state = await engine.here(contact_sync, name)

    assert state.is_completed()
    assert "3 applied" in (state.message or "")
    emails = [contact.get("email") for contact in await engine.stage.sandbox.contacts()]
    assert all(emails.count(f"outage{number}@umi.example") == 1 for number in range(3))


async def test_parallel_runs_of_bookings_do_not_stand_in_each_others_way(
    engine: Engine, ready: ConnectionName
) -> None:
    first, second = await asyncio.gather(
        engine.here(booking_to_crm, ready), engine.here(booking_to_crm, ready)
    )

    assert first.is_completed()
    assert second.is_completed()


async def test_watch_keeps_history_for_the_days_that_are_set(
    engine: Engine, ready: ConnectionName
) -> None:
    ledger, made_at = engine.stage.ledger, datetime.now(UTC) - timedelta(days=50)
    old = RecordRef.parse("contact:c_planned_long_ago")
    await ledger.write(dry_run_plans.save_plan, ready, old, {}, made_at)

    await engine.here(watch, 60.0)
    kept = await ledger.read(dry_run_plans.read_plans, ready, made_at)
    await engine.here(watch, 60.0, 40)

    assert old in kept
    assert old not in await ledger.read(dry_run_plans.read_plans, ready, made_at)
