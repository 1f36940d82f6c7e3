"""The demo, step by step: people act on both sides, flows run, and a checker has the last word."""

import asyncio
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from timerex_ghl.adapters.ledger import inbox, intents, published, workspace
from timerex_ghl.demo.checker import disagreements
from timerex_ghl.demo.prefect_api import RunFailedError, message_of
from timerex_ghl.demo.processes import DidNotStartError, Programs
from timerex_ghl.demo.screen import Screen
from timerex_ghl.demo.stage import CONNECTION, Stage, enter_blocks, set_up
from timerex_ghl.demo.story import TRUTHS, Story


async def play(*, keep: bool) -> int:
    """Run the demo; hand back the exit code: 0 only when both sides agree."""
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
        screen.say("stopped: everything the demo had started has ended")
        return 0 if screen.agreed else 130


async def _play_in(folder: Path, screen: Screen, *, keep: bool) -> int:
    async with AsyncExitStack() as stack:
        programs = Programs(folder)
        stack.push_async_callback(programs.stop)
        stage = await set_up(folder, programs, stack, screen)
        await enter_blocks(stage)
        screen.say("entered the blocks")
        await _publish(stage, screen)
        await _first_meeting(stage, screen)
        await _edits(stage, screen)
        second_writes = await _once_more(stage, screen)
        screen.table()
        agreed = screen.verdict(await _differences(stage), second_writes)
        screen.console.print(f"Prefect UI: {stage.prefect.url.removesuffix('/api')}")
        if keep:
            screen.invite(folder)
            await asyncio.Event().wait()
    return 0 if agreed else 1


async def _publish(stage: Stage, screen: Screen) -> None:
    """Publish the connection, and tell TimeRex which door is ours."""
    run = await stage.prefect.run("publish-connection", connection=CONNECTION)
    screen.say(f"published the connection: {message_of(run)}")
    version = await stage.ledger.read(published.current, CONNECTION)
    if version is None:
        raise RunFailedError("the connection was published, but is not in the ledger")
    url = f"{stage.gateway_url}/webhooks/timerex/{version.settings.timerex.door}"
    await stage.sandbox.send("POST", "/timerex/webhook", {"url": url})


async def _first_meeting(stage: Stage, screen: Screen) -> None:
    """People on both sides and bookings: everyone is brought together."""
    story = Story(stage.sandbox, stage.ledger, CONNECTION)
    await story.make_people()
    webhooks = await story.book()
    event_ids = await _received(stage, webhooks)
    screen.say(f"{webhooks} webhooks of bookings made, moved and cancelled are in the inbox")
    before = datetime.now(UTC)
    run = await stage.prefect.run("booking-to-crm", connection=CONNECTION, event_ids=event_ids)
    screen.say(f"booking-to-crm: {message_of(run)}")
    screen.travelled("Booking webhooks", "TimeRex -> GHL", str(webhooks))
    await _tell_writes(stage, screen, before, "TimeRex -> GHL")
    before = datetime.now(UTC)
    run = await stage.prefect.run("contact-sync", connection=CONNECTION, scope="full")
    screen.say(f"contact-sync, full: {message_of(run)}")
    await _tell_writes(stage, screen, before, "workspace -> GHL")


async def _edits(stage: Stage, screen: Screen) -> None:
    """People edit contacts on both sides, and a guest cancels: the changes travel."""
    story = Story(stage.sandbox, stage.ledger, CONNECTION)
    in_crm, in_workspace = await story.edit_both_sides()
    screen.say(f"people edited {in_crm} contacts in the CRM and {in_workspace} in the workspace")
    before = datetime.now(UTC)
    run = await stage.prefect.run("contact-sync", connection=CONNECTION)
    screen.say(f"contact-sync, incremental: {message_of(run)}")
    screen.travelled("Contact edits", "GHL -> workspace", str(in_crm))
    screen.travelled("Contact edits", "workspace -> GHL", str(in_workspace))
    await _tell_writes(stage, screen, before, "workspace -> GHL")


async def _once_more(stage: Stage, screen: Screen) -> int:
    """Sync again with nothing changed; count the writes that GHL saw."""
    before = await stage.sandbox.writes()
    run = await stage.prefect.run("contact-sync", connection=CONNECTION)
    screen.say(f"contact-sync, with nothing changed: {message_of(run)}")
    return await stage.sandbox.writes() - before


async def _received(stage: Stage, webhooks: int) -> list[str]:
    """Wait until the inbox holds every webhook; hand out the events' ids."""
    for _ in range(150):
        waiting = await stage.ledger.read(inbox.waiting_events, CONNECTION, datetime.now(UTC))
        if len(waiting) >= webhooks:
            return [*waiting]
        await asyncio.sleep(0.1)
    raise RunFailedError("the gateway did not receive every webhook")


async def _tell_writes(stage: Stage, screen: Screen, since: datetime, way: str) -> None:
    done = await stage.ledger.read(intents.count_done, CONNECTION, since)
    for kind, number in done.items():
        screen.travelled(f"  {kind}", way, str(number))


async def _differences(stage: Stage) -> list[str]:
    rows = await stage.ledger.read(workspace.list_contacts, CONNECTION)
    return disagreements(rows, await stage.sandbox.contacts(), TRUTHS)
