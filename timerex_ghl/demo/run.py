"""The demo, step by step: people act on both sides, flows run, and a checker compares."""

import asyncio
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox_queue
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import intents
from timerex_ghl.demo import activities
from timerex_ghl.demo.checker import disagreements
from timerex_ghl.demo.console import Screen
from timerex_ghl.demo.environment import CONNECTION, Stage, enter_blocks, set_up, start_live
from timerex_ghl.demo.prefect_api import RunFailedError, message_of
from timerex_ghl.demo.processes import DidNotStartError, Programs
from timerex_ghl.demo.scenario import TRUTHS, DemoStory

QUIET_LOOKS = 5
"""Consecutive polls without pending work after which the system counts as idle."""


async def play(*, keep: bool) -> int:
    """Run the demo; return the exit code: 0 only if both sides agree."""
    screen = Screen()
    me = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel if me else sys.exit)
    try:
        with tempfile.TemporaryDirectory(
            prefix="timerex-ghl-demo-", ignore_cleanup_errors=True
        ) as folder:
            return await _play_in(Path(folder), screen, keep=keep)
    except (RunFailedError, DidNotStartError) as error:
        screen.fail(str(error))
        return 1
    except asyncio.CancelledError:
        screen.say("stopped: all programs of the demo have ended")
        return 0 if screen.agreed else 130


async def _play_in(folder: Path, screen: Screen, *, keep: bool) -> int:
    async with AsyncExitStack() as stack:
        programs = Programs(folder)
        stack.push_async_callback(programs.stop)
        stage = await set_up(folder, programs, stack, screen)
        await enter_blocks(stage)
        screen.say("entered the blocks")
        await _publish(stage, screen)
        story = DemoStory(stage.sandbox, stage.ledger, CONNECTION)
        await _first_booking(stage, story, screen)
        await _register_endpoints(stage, programs, screen)
        await _bookings(stage, story, screen)
        await _edits(stage, story, screen)
        await _activities(stage, story, screen)
        second_writes = await _once_more(stage, screen)
        screen.table()
        found = [*await _differences(stage), *await activities.differences(story)]
        agreed = screen.verdict(found, second_writes)
        screen.console.print(f"Prefect UI: {stage.prefect.url.removesuffix('/api')}")
        if keep:
            screen.invite(folder)
            await asyncio.Event().wait()
    return 0 if agreed else 1


async def _publish(stage: Stage, screen: Screen) -> None:
    """Publish the connection."""
    run = await stage.prefect.run("publish-connection", connection=CONNECTION)
    screen.say(f"published the connection: {message_of(run)}")


async def _first_booking(stage: Stage, story: DemoStory, screen: Screen) -> None:
    """Add people on both sides, and run the first full contact sync."""
    await story.make_people()
    before = datetime.now(UTC)
    run = await stage.prefect.run("contact-sync", connection=CONNECTION, scope="full")
    screen.say(f"contact-sync, full: {message_of(run)}")
    await _report_writes(stage, screen, before, "workspace -> GHL")


async def _register_endpoints(stage: Stage, programs: Programs, screen: Screen) -> None:
    """Start the live worker, and enter our webhook endpoints in both services."""
    version = await stage.ledger.read(published.current, CONNECTION)
    if version is None:
        raise RunFailedError("the connection was published, but is not in the ledger")
    await start_live(stage, programs)
    endpoint = f"{stage.gateway_url}/webhooks/timerex/{version.settings.timerex.endpoint}"
    await stage.sandbox.send("POST", "/timerex/webhook", {"url": endpoint})
    await stage.sandbox.send("POST", "/ghl/webhook", {"url": f"{stage.gateway_url}/webhooks/ghl"})
    screen.say("started the live worker; both services know the webhook endpoints")


async def _bookings(stage: Stage, story: DemoStory, screen: Screen) -> None:
    """Book, cancel and reschedule as guests; the live worker processes each webhook."""
    before = datetime.now(UTC)
    webhooks = await story.book()
    await _wait_until_quiet(stage)
    screen.say(f"{webhooks} webhooks of bookings made, moved and cancelled reached the CRM")
    screen.travelled("Booking webhooks", "TimeRex -> GHL", str(webhooks))
    await _report_writes(stage, screen, before, "TimeRex -> GHL")


async def _edits(stage: Stage, story: DemoStory, screen: Screen) -> None:
    """Edit contacts on both sides; the live worker syncs the changes."""
    before = datetime.now(UTC)
    in_crm, in_workspace = await story.edit_on_both()
    await _wait_until_quiet(stage)
    screen.say(f"{in_crm} edits in the CRM and {in_workspace} in the workspace reached each other")
    screen.travelled("Contact edits", "GHL -> workspace", str(in_crm))
    screen.travelled("Contact edits", "workspace -> GHL", str(in_workspace))
    await _report_writes(stage, screen, before, "workspace -> GHL")


async def _activities(stage: Stage, story: DemoStory, screen: Screen) -> None:
    """Write notes and tasks on both sides, then change each of them in the other system."""
    before = datetime.now(UTC)
    written = await activities.write_on_both(story)
    await _wait_until_quiet(stage)
    changed = await activities.continue_on_the_other(story)
    await _wait_until_quiet(stage)
    screen.say(f"{written} notes and tasks and {changed} changes to them were synced")
    screen.travelled("Notes and tasks", "both ways", str(written))
    screen.travelled("Their edits, completions, deletes", "both ways", str(changed))
    await _report_writes(stage, screen, before, "workspace -> GHL")


async def _once_more(stage: Stage, screen: Screen) -> int:
    """Sync again with nothing changed; return the number of writes to GHL."""
    before = await stage.sandbox.writes()
    for flow in ("contact-sync", "activity-mirror"):
        run = await stage.prefect.run(flow, connection=CONNECTION)
        screen.say(f"{flow}, with nothing changed: {message_of(run)}")
    return await stage.sandbox.writes() - before


async def _wait_until_quiet(stage: Stage) -> None:
    """Wait until every delivery is processed, including those caused by our own writes."""
    quiet = 0
    for _ in range(600):
        waiting = (await stage.ledger.read(inbox_queue.what_waits, CONNECTION)).number
        quiet = 0 if waiting or await stage.sandbox.has_deliveries() else quiet + 1
        if quiet == QUIET_LOOKS:
            return
        await asyncio.sleep(0.1)
    raise RunFailedError("deliveries were not processed in time")


async def _report_writes(stage: Stage, screen: Screen, since: datetime, way: str) -> None:
    done = await stage.ledger.read(intents.count_done, CONNECTION, since)
    for kind, number in done.items():
        screen.travelled(f"  {kind}", way, str(number))


async def _differences(stage: Stage) -> list[str]:
    rows = await stage.ledger.read(workspace_contacts.list_contacts, CONNECTION)
    return disagreements(rows, await stage.sandbox.contacts(), TRUTHS)
