"""People who write, edit and delete notes and tasks on both sides, with real webhooks between."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tests.engine.world import NAME, World, opened_world
from tests.receiver import Receiver, open_receiver
from timerex_ghl.adapters.ghl.webhooks.deliveries import read_delivery
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import IS_WAITING, events
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.activities.activity_fields import Activity, ActivityKey, ActivityKind
from timerex_ghl.domain.shared.models import ContactId, EventId, FieldName
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN
from timerex_ghl.sandbox.info import SandboxInfo

DUE = "2026-03-02T09:00:00.000Z"
READS = ("get-", "task-search", "search-")


def reported(**values: str | None) -> dict[FieldName, str | None]:
    return {FieldName(name): value for name, value in values.items()}


@dataclass
class ActivityWorld:
    """The workspace and GHL, and what people do there.

    Attributes:
        taken: How many of the received deliveries are in the inbox.
        logged: Our client's requests that were checked already.
    """

    world: World
    endpoint: Receiver
    taken: int = 0
    logged: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    async def person(self, email: str = "riku@hinode.example", **values: str) -> ContactId:
        """Create a person on both sides."""
        row = await self.world.add(email, first_name="Riku", **values)
        await self.world.sync()
        await self.process_all()
        return row.id

    async def crm_id(self, email: str = "riku@hinode.example") -> str:
        return (await self.world.one_in_crm(email))["id"]

    # the workspace

    async def write(
        self, kind: ActivityKind, contact_id: ContactId, **values: str | None
    ) -> ActivityKey:
        """Write a note or task in the workspace."""
        given = {"due_at": DUE, "completed": "false", **values} if kind == "task" else values

        def add(tx: Connection) -> ActivityKey:
            now = self.world.clock.now()
            row = activities.new_activity(kind, contact_id, reported(**given), now)
            activities.add_activities(tx, NAME, [row])
            key = ActivityKey(kind, row.id)
            _store_event(tx, key, row.version, now)
            return key

        return await self.ledger.write(add)

    async def edit(self, key: ActivityKey, **values: str | None) -> None:
        """Change a note or task in the workspace."""
        await self._change(key, values, deleted=False)

    async def delete(self, key: ActivityKey) -> None:
        """Delete a note or task in the workspace."""
        await self._change(key, {}, deleted=True)

    async def _change(
        self, key: ActivityKey, values: dict[str, str | None], *, deleted: bool
    ) -> None:
        def change(tx: Connection) -> None:
            now, row = self.world.clock.now(), activities.get_activity(tx, NAME, key)
            assert row is not None
            after = row.model_copy(update={"values": {**row.values, **reported(**values)}})
            saved = activities.save_activity(tx, NAME, after, now, deleted=deleted)
            _store_event(tx, key, saved.version, now)

        await self.ledger.write(change)

    async def here(self, key: ActivityKey) -> Activity:
        row = await self.ledger.read(activities.get_activity, NAME, key)
        assert row is not None
        return row

    async def is_linked(self, kind: ActivityKind, local_id: str) -> bool:
        link = await self.ledger.read(links.link_of_local, NAME, kind, local_id)
        return link is not None

    async def all_here(self, kind: ActivityKind) -> list[Activity]:
        return await self.ledger.read(activities.list_activities, NAME, kind, WantedActivities())

    # GHL

    async def in_crm(self, method: str, path: str, body: object = None) -> Any:
        """Do in GHL what one of its users does."""
        return await self.world.ask(method, f"/ghl/person/contacts/{path}", body or {})

    async def notes(self, email: str = "riku@hinode.example") -> list[dict[str, Any]]:
        return (await self.world.one_in_crm(email)).get("notes") or []

    async def tasks(self, email: str = "riku@hinode.example") -> list[dict[str, Any]]:
        return (await self.world.one_in_crm(email)).get("tasks") or []

    async def there(
        self, kind: ActivityKind, email: str = "riku@hinode.example"
    ) -> list[dict[str, Any]]:
        return await (self.notes if kind == "note" else self.tasks)(email)

    # sync

    async def process_all(self) -> list[Outcome]:
        """Store and process all deliveries until none is left; make postponed events due."""
        done: list[Outcome] = []
        while True:
            await self.store()
            waiting = await self.ledger.read(_waiting)
            if not waiting:
                return done
            outcomes = await self.world.handle(*waiting)
            if any(outcome.what == "waiting" for outcome in outcomes):
                self.world.clock.advance(LOOK_AGAIN)
            done += outcomes

    async def finish_in_order(self, *, is_reversed: bool) -> list[Outcome]:
        """Do as `process_all`, storing deliveries in the order they came, or reversed."""
        await self.finish_deliveries()
        if is_reversed:
            self.endpoint.raw[self.taken :] = reversed(self.endpoint.raw[self.taken :])
        return await self.process_all()

    async def try_once(self) -> None:
        """Process each pending event once; failed ones stay pending. No webhook is stored."""
        await self.world.handle(*await self.ledger.read(_waiting))

    async def finish_deliveries(self) -> None:
        """Wait until GHL has sent all its webhooks."""
        async with asyncio.timeout(20):
            while True:
                states = await self.world.ask("GET", "/ghl/deliveries/counts")
                if not states["states"].get("waiting"):
                    return
                await asyncio.sleep(0.01)

    async def lose_webhooks(self) -> None:
        """Lose the webhooks that GHL sends meanwhile."""
        await self.finish_deliveries()
        self.taken = len(self.endpoint.raw)

    async def store(self) -> None:
        """Store the deliveries that GHL has sent, as the gateway does."""
        await self.finish_deliveries()
        new, self.taken = self.endpoint.raw[self.taken :], len(self.endpoint.raw)
        for raw in new:
            delivery = read_delivery(raw)
            await self.ledger.write(
                inbox.store_event,
                connection=NAME,
                source="ghl",
                type=delivery.type,
                dedupe_key=delivery.dedupe_key,
                body=raw.decode(),
                now=self.world.clock.now(),
                record=delivery.record,
            )

    async def calls(self) -> list[str]:
        """List our client's requests since the last check, except those for users."""
        found = (await self.world.ask("GET", "/ghl/calls"))["calls"]
        await self.world.ask("DELETE", "/ghl/calls")
        self.logged += found
        names = [call["operation"] for call in found]
        return [name for name in names if name != "get-user-by-location"]

    async def writes(self) -> list[str]:
        return [name for name in await self.calls() if not name.startswith(READS)]


@asynccontextmanager
async def opened_activities(ledger: Ledger, info: SandboxInfo) -> AsyncGenerator[ActivityWorld]:
    async with opened_world(ledger, info) as world, open_receiver() as endpoint:
        await world.ask("POST", "/ghl/webhook", {"url": endpoint.url("/ghl")})
        yield ActivityWorld(world, endpoint)


def _store_event(tx: Connection, key: ActivityKey, version: int, now: datetime) -> None:
    inbox.store_event(
        tx,
        connection=NAME,
        source="workspace",
        type=f"{key.kind} changed",
        dedupe_key=f"{key}:{version}",
        body=json.dumps({"version": version}),
        now=now,
        record=key.ref,
    )


def _waiting(tx: Connection) -> list[EventId]:
    rows = tx.scalars(
        select(events.c.id).where(events.c.connection == NAME, IS_WAITING).order_by(events.c.seq)
    )
    return [EventId(row) for row in rows]
