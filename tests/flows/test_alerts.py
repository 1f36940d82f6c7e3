"""Alerts when something fails: real automations, a real webhook receiver."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prefect import tags
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.events import Event, Resource
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.booking_to_crm import booking_to_crm
from flows.watch import watch
from tests.flows.alert_causes import (
    end_tokens,
    publish_earlier,
    publish_elsewhere,
    store,
    store_polled,
    use_up,
)
from tests.flows.conftest import Drafts, Engine
from tests.receiver import Receiver, open_receiver
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, LocationId
from timerex_ghl.orchestration.alerts import (
    BLOCK,
    list_alerts,
    make_webhook_block,
    put_alerts,
    remove_alerts,
)
from timerex_ghl.orchestration.automations import TAG, WAITING_TOO_LONG, WEBHOOKS_SILENT

SENT_WITHIN_S = 120


async def receives(
    receiver: Receiver, is_it: Callable[[dict[str, Any]], bool], within_s: float = SENT_WITHIN_S
) -> dict[str, Any]:
    for _ in range(int(within_s / 0.2)):
        for message in receiver.bodies:
            if is_it(message):
                return message
        await asyncio.sleep(0.2)
    raise AssertionError(f"no such alert, only {[one['subject'] for one in receiver.bodies]}")


def messages_with(receiver: Receiver, words: str) -> set[str]:
    """Return the messages with these words in them.

    One can arrive four times: Prefect sends it again if it cannot store that it was sent
    (`message_handler` in `prefect.server.events.actions`).
    """
    return {one["text"] for one in receiver.bodies if words in one["text"]}


async def emitted(engine: Engine, event: str, name: ConnectionName) -> int:
    """Count the stored Prefect events of a kind about a connection."""
    wanted = {
        "event": {"name": [event]},
        "resource": {"id": [f"timerex-ghl.connection.{name}"]},
    }
    return len((await engine.api.send("POST", "/events/filter", {"filter": wanted}))["events"])


async def receives_all_before(engine: Engine, receiver: Receiver) -> None:
    """Wait until all earlier events are handled, by a marker: Prefect handles them in order."""
    name = f"marker-{secrets.token_hex(4)}"
    event = Event(
        event=WAITING_TOO_LONG,
        resource=Resource({"prefect.resource.id": f"timerex-ghl.connection.{name}"}),
        payload={"connection": name, "waiting": 1, "minutes": 1},
    )
    await engine.api.send("POST", "/events", [event.model_dump(mode="json")])
    await receives(receiver, lambda one: name in one["text"])
    for _ in range(600):
        if await emitted(engine, WAITING_TOO_LONG, ConnectionName(name)):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("Prefect did not store the marker")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def receiver(engine: Engine) -> AsyncGenerator[Receiver]:
    async with open_receiver() as chat:
        with temporary_settings({PREFECT_API_URL: engine.api.url}):
            block = await make_webhook_block(chat.url())
            await put_alerts(block)
            await put_alerts(block)  # updated, not duplicated
        yield chat
        with temporary_settings({PREFECT_API_URL: engine.api.url}):
            await remove_alerts()


async def test_setting_up_twice_sets_up_once(engine: Engine, receiver: Receiver) -> None:
    del receiver
    with temporary_settings({PREFECT_API_URL: engine.api.url}):
        names = await list_alerts()

    assert names == [
        "timerex-ghl: a review is open",
        "timerex-ghl: a run failed",
        "timerex-ghl: a run is dead",
        "timerex-ghl: a service does not answer",
        "timerex-ghl: access was revoked",
        "timerex-ghl: events wait too long",
        "timerex-ghl: the daily call budget runs low",
        "timerex-ghl: webhooks are silent",
    ]


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://host/x", "https://", "http:///x", "https://a b"]
)
async def test_a_webhook_that_is_none_is_refused_and_the_old_one_kept(
    engine: Engine, receiver: Receiver, url: str
) -> None:
    with temporary_settings({PREFECT_API_URL: engine.api.url}):
        with pytest.raises(SettingsError, match="enter https://"):
            await make_webhook_block(url)
        kept = await CustomWebhookNotificationBlock.aload(BLOCK)

    assert kept.url == receiver.url()


async def test_a_run_that_fails_is_reported_once_with_its_reason_and_link(
    engine: Engine, receiver: Receiver, drafts: Drafts
) -> None:
    del drafts  # they made the ledger's block
    run_id = await engine.api.start("contact-sync", connection="never-published")
    run = await engine.api.wait_for(run_id)

    message = await receives(receiver, lambda one: "never-published" in one["text"])
    await receives_all_before(engine, receiver)

    assert run["state_type"] == "FAILED"
    assert message["subject"] == "timerex-ghl: a run failed"
    assert "contact-sync, run never-published incremental apply: Failed" in message["text"]
    assert "connection never-published is not published" in message["text"]
    assert run_id in message["text"]
    assert messages_with(receiver, "never-published") == {message["text"]}


async def test_a_run_that_needs_somebody_is_reported(
    engine: Engine, receiver: Receiver, ready: ConnectionName
) -> None:
    await store(engine, ready, "needs-1", "", minutes=0)
    with tags(TAG):  # as all deployments are
        state = await engine.here(booking_to_crm, ready)

    assert state.name == "NeedsReview", state.message
    run_id = str(state.state_details.flow_run_id)
    message = await receives(receiver, lambda one: run_id in one["text"])
    assert message["subject"] == "timerex-ghl: a review is open"


async def test_events_that_wait_too_long_are_reported_without_anybodys_details(
    engine: Engine, receiver: Receiver, drafts: Drafts
) -> None:
    name = await drafts.publish()
    await store(engine, name, "late-1", "late@umi.example", minutes=90)

    state = await engine.here(watch, 60.0)

    assert str(name) in (state.message or "")
    message = await receives(receiver, lambda one: str(name) in one["text"])
    assert message["subject"] == "timerex-ghl: events wait too long"
    assert "1 events are pending, the oldest for 90 minutes" in message["text"]
    assert "late@umi.example" not in json.dumps(receiver.bodies)


async def test_silent_webhooks_are_reported_once_for_the_same_changes(
    engine: Engine, receiver: Receiver, drafts: Drafts
) -> None:
    name = await drafts.publish()
    await engine.stage.ledger.write(publish_earlier, name, timedelta(days=1))
    for number in range(2):
        await store_polled(engine, name, f"polled-{number}", minutes=40)

    first = await engine.here(watch)
    message = await receives(receiver, lambda one: one["subject"].endswith("webhooks are silent"))
    await engine.here(watch)
    await store(engine, name, "heard-again", "quiet@umi.example", minutes=0)
    last = await engine.here(watch)
    await receives_all_before(engine, receiver)

    assert f"webhooks are silent: {name}" in (first.message or "")
    assert f"{name}: no webhook of TimeRex arrived for 2 changes" in message["text"]
    assert "quiet@umi.example" not in json.dumps(receiver.bodies)
    assert await emitted(engine, WEBHOOKS_SILENT, name) == 1
    assert "silent" not in (last.message or "")


async def test_calls_that_run_out_and_tokens_that_were_ended_are_reported_once(
    engine: Engine, receiver: Receiver, ready: ConnectionName
) -> None:
    name, location_id = ConnectionName("warned-once"), LocationId("locWarnedOnce")
    await engine.stage.ledger.write(publish_elsewhere, ready, name, location_id)
    await engine.stage.ledger.write(use_up, location_id, 76)
    await engine.stage.ledger.write(end_tokens, f"app:{location_id}")

    states = [await engine.here(watch, 60.0) for _ in range(2)]
    calls = await receives(receiver, lambda one: f"{name}: 76 %" in one["text"])
    access = await receives(receiver, lambda one: f"{name}: GHL revoked" in one["text"])
    await engine.stage.ledger.write(use_up, location_id, 90)
    states.append(await engine.here(watch, 60.0))
    await receives(receiver, lambda one: f"{name}: 90 %" in one["text"])

    assert [f"warned: {name}" in (state.message or "") for state in states] == [True, False, True]
    assert calls["subject"] == "timerex-ghl: the daily call budget runs low"
    assert access["subject"] == "timerex-ghl: access was revoked"
    assert "seed-canary" not in json.dumps(receiver.bodies)


@pytest.mark.slow
async def test_a_run_whose_worker_was_killed_is_marked_as_crashed_and_reported(
    engine: Engine, receiver: Receiver, ready: ConnectionName
) -> None:
    """A run whose process is stopped looks alive until its heartbeats are missing."""
    await engine.stage.sandbox.send(
        "POST",
        "/ghl/faults",
        {"operation": "search-contacts-advanced", "kind": "delay", "value": 15_000},
    )
    run_id = await engine.api.start("contact-sync", connection=ready)
    engine_pid = await pid_of(run_id)
    await until_it_runs(engine, run_id)
    os.kill(engine_pid, signal.SIGSTOP)  # the worker would notice a kill
    try:
        message = await receives(receiver, lambda one: run_id in one["text"], within_s=240)
    finally:
        os.kill(engine_pid, signal.SIGKILL)

    assert message["subject"] == "timerex-ghl: a run failed"
    assert "no heartbeat" in message["text"]


async def until_it_runs(engine: Engine, run_id: str) -> None:
    """Wait until a run has sent a heartbeat."""
    wanted = {
        "event": {"name": ["prefect.flow-run.heartbeat"]},
        "resource": {"id": [f"prefect.flow-run.{run_id}"]},
    }
    for _ in range(600):
        if (await engine.api.send("POST", "/events/filter", {"filter": wanted}))["events"]:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("the run sent no heartbeat")


async def pid_of(run_id: str) -> int:
    """Find the process of a run by the run id in its environment."""
    for _ in range(300):
        found = await asyncio.to_thread(find_process, f"PREFECT__FLOW_RUN_ID={run_id}".encode())
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("no process has the run's id")


def find_process(setting: bytes) -> int | None:
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):
                if setting in (process / "environ").read_bytes().split(b"\0"):
                    return int(process.name)
    return None
