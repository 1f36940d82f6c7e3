"""The path of one booking, one notification and one edit through the code.

    python -m benchmarks.hops [--calls]

Each is played on the real gateway, ledger and handlers, against a sandbox process; every call of a
function of this project is recorded. `steps` are coroutines of the gateway, the workspace and the
engine: what orchestrates. What they use (rules, queries, requests) is no step. `changes` counts the
calls that leave the file of the call before, `back` those of them into a file that had been left.
The first record of a kind is not counted: it fills caches. `--calls` lists every step.
"""

import asyncio
import inspect
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import httpx

from benchmarks.harness import ledger_url, say, started_sandbox
from tests.deliveries import confirmed
from tests.engine.world import EVENT_FIELDS, NAME, World, opened_world
from tests.gateway.api.given import new_token
from tests.gateway.given import ENDPOINT, TOKEN, client_of, settings_with
from tests.gateway.webhooks.ghl_sender import PUBLIC, post, update
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.engine.dispatch import Dispatcher
from timerex_ghl.engine.process import process_event
from timerex_ghl.engine.router import handle_inbox_event

ROOT = Path(__file__).parent.parent
PACKAGE = "timerex_ghl/"
STEPS_IN = ("gateway/", "workspace/", "engine/")
READ_IN = (*STEPS_IN, "domain/", "adapters/")
EMAILS = ("first@hinode.example", "second@hinode.example")


class Call(NamedTuple):
    """A call of a function. A coroutine is called once, however often it is resumed."""

    path: str
    function: str
    is_coroutine: bool

    @property
    def is_step(self) -> bool:
        """Return whether the function orchestrates."""
        return self.is_coroutine and self.path.startswith(STEPS_IN)


@dataclass
class Recorder:
    """Records calls in all threads that are started after `install`."""

    calls: list[Call] | None = None
    _frames: dict[int, FrameType] = field(default_factory=dict[int, FrameType])

    def install(self) -> None:
        """Profile this thread, and those that it starts."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def start(self) -> None:
        """Record from now on."""
        self._frames.clear()
        self.calls = []

    def stop(self) -> list[Call]:
        """Return the calls since `start`."""
        calls, self.calls = self.calls, None
        return calls or []

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        path = code.co_filename.removeprefix(f"{ROOT}/{PACKAGE}")
        if event != "call" or self.calls is None or not path.startswith(READ_IN):
            return
        if id(frame) in self._frames or code.co_name.startswith("<"):
            return
        self._frames[id(frame)] = frame  # kept, so that no other frame has its id
        is_coroutine = bool(code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))
        self.calls.append(Call(path, code.co_qualname, is_coroutine))


class Figures(NamedTuple):
    """What a path costs its reader."""

    calls: int
    functions: int
    files: int
    changes: int
    back: int

    @classmethod
    def of(cls, calls: Sequence[Call]) -> "Figures":
        """Count."""
        changes = back = 0
        departed: set[str] = set()
        for before, after in pairwise(calls):
            if before.path != after.path:
                departed.add(before.path)
                changes += 1
                back += after.path in departed
        functions = {(one.path, one.function) for one in calls}
        return cls(len(calls), len(functions), len({one.path for one in calls}), changes, back)


@dataclass
class Player:
    """Sends each kind of event to the gateway, and handles what it stored."""

    world: World
    http: httpx.AsyncClient
    api_token: str
    dispatcher: Dispatcher
    recorder: Recorder

    async def play(self, kind: str, send: Callable[[], Awaitable[httpx.Response]]) -> list[Call]:
        """Send an event; return the calls until it is handled."""
        self.recorder.start()
        answer = await send()
        batches, _ = await self.dispatcher.take()
        outcomes = [
            await process_event(self.world.context, handle_inbox_event, event_id)
            for batch in batches
            for event_id in batch.event_ids
        ]
        calls = self.recorder.stop()
        for batch in batches:
            self.dispatcher.done(batch)
        assert answer.is_success, answer.text
        assert [one.what for one in outcomes] == ["applied"], f"{kind}: {outcomes}"
        return calls

    async def book(self, email: str) -> httpx.Response:
        """Deliver a confirmed booking of a new guest, as TimeRex does."""
        headers = {"x-timerex-authorization": TOKEN}
        return await self.http.post(
            f"/webhooks/timerex/{ENDPOINT}", json=confirmed(email, email), headers=headers
        )

    async def notify(self, email: str) -> httpx.Response:
        """Deliver GHL's notification of a contact whose city changed there."""
        contact = await self.world.one_in_crm(email)
        fields = {name: contact.get(name) for name in EVENT_FIELDS}
        fields |= {"id": contact["id"], "locationId": contact["locationId"], "webhookId": email}
        body = update(age=timedelta(), **fields)
        return await post(self.http, body)

    async def edit(self, email: str) -> httpx.Response:
        """Change the city by the API."""
        people = await self.world.people()
        (row,) = (one for one in people if one.contact.values[FieldName("email")] == email)
        headers = {"authorization": f"Bearer {self.api_token}", "if-match": "*"}
        return await self.http.patch(
            f"/api/v1/contacts/{row.id}", json={"city": "Osaka"}, headers=headers
        )


async def record_paths() -> dict[str, list[Call]]:
    """Return the calls of one event of each kind; one before it filled the caches."""
    recorder = Recorder()
    recorder.install()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sandbox = await stack.enter_async_context(started_sandbox())
        ledger = await stack.enter_async_context(open_ledger(ledger_url(folder, "hops")))
        world = await stack.enter_async_context(opened_world(ledger, sandbox.info))
        await _publish(ledger, world)
        http = await stack.enter_async_context(client_of(ledger))
        dispatcher = Dispatcher(ledger, await stack.enter_async_context(ledger.listening()))
        dispatcher.open = [NAME]
        player = Player(world, http, await new_token(ledger, connection=NAME), dispatcher, recorder)
        paths: dict[str, list[Call]] = {}
        for email in EMAILS:
            paths["booking"] = await player.play("booking", partial(player.book, email))
        for email in EMAILS:
            await world.edit_crm(email, city="Nara")
            paths["notification"] = await player.play("notification", partial(player.notify, email))
        for email in EMAILS:
            paths["edit"] = await player.play("edit", partial(player.edit, email))
    return paths


async def _publish(ledger: Ledger, world: World) -> None:
    """Publish the connection of the handlers with the credentials of the senders."""
    ghl = world.context.settings.ghl.model_copy(update={"webhook_keys": (PUBLIC,)})
    timerex = settings_with(TOKEN).timerex
    settings = world.context.settings.model_copy(update={"ghl": ghl, "timerex": timerex})
    await ledger.write(published.publish, settings, now=datetime.now(UTC))


def main(*, shows_steps: bool) -> None:
    """Print the figures of each path, and if wanted its steps."""
    for kind, calls in asyncio.run(record_paths()).items():
        steps = [call for call in calls if call.is_step]
        whole, orchestration = Figures.of(calls), Figures.of(steps)
        say(benchmark="hops", path=kind, whole=whole._asdict(), steps=orchestration._asdict())
        if shows_steps:
            for step in steps:
                print(f"    {step.path:45} {step.function}")


if __name__ == "__main__":
    main(shows_steps="--calls" in sys.argv[1:])
