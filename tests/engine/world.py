"""A connection on the real ledger, against the real sandbox over HTTP."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clock import SettableClock
from tests.engine.failpoints import Failpoints, KilledError
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.timerex.webhooks import read_delivery
from timerex_ghl.domain.connections.settings import (
    ConnectionSettings,
    GhlSettings,
    PublishedConnection,
    TimerexSettings,
)
from timerex_ghl.domain.contacts.contact_merge import apply_change
from timerex_ghl.domain.contacts.identity import keys_of
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    ContactId,
    EventId,
    FieldName,
    LocationId,
    Value,
    WorkspaceContact,
)
from timerex_ghl.domain.shared.outcome import Counts, Outcome, count
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.handle_contact import handle_contact_key
from timerex_ghl.engine.contacts.pull_contacts import Scope, list_changed, read_page
from timerex_ghl.engine.context import CallCount, SyncContext
from timerex_ghl.engine.process import process_event, process_record
from timerex_ghl.engine.router import handle_inbox_event
from timerex_ghl.engine.runtime import Runtime
from timerex_ghl.orchestration.batches import at_once, each
from timerex_ghl.sandbox.info import SandboxInfo

NAME = ConnectionName("aoba")
EVENT_FIELDS = ("firstName", "lastName", "email", "phone", "city", "website", "country", "tags")
READS = ("/search", "/oauth/token")
EVERY_SCOPE = frozenset(
    {
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/tasks.readonly",
        "users.readonly",
    }
)


@dataclass
class World:
    """The workspace and GHL, and what people do there.

    Attributes:
        clock: The clock of our code. The sandbox has the real one.
    """

    context: SyncContext
    control: httpx.AsyncClient
    clock: SettableClock = field(default_factory=SettableClock)
    failpoints: Failpoints = field(default_factory=Failpoints)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Use the sandbox's control API."""
        answer = await self.control.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def crm(self) -> list[dict[str, Any]]:
        return (await self.ask("GET", "/ghl/contacts"))["contacts"]

    async def one_in_crm(self, email: str) -> dict[str, Any]:
        found = [one for one in await self.crm() if (one.get("email") or "").lower() == email]
        assert len(found) == 1, f"{len(found)} contacts of one person"
        return found[0]

    async def notes_of(self, email: str) -> list[str]:
        notes: list[dict[str, Any]] = (await self.one_in_crm(email)).get("notes") or []
        return [note["bodyText"] for note in notes]

    async def edit_crm(self, email: str, **changes: object) -> None:
        contact = await self.one_in_crm(email)
        await self.ask("PATCH", f"/ghl/contacts/{contact['id']}", changes)

    async def calls(self) -> list[str]:
        """List the client's requests since the last check."""
        calls = (await self.ask("GET", "/ghl/calls"))["calls"]
        await self.ask("DELETE", "/ghl/calls")
        return [f"{call['method']} {call['path']}" for call in calls]

    async def writes(self) -> list[str]:
        return [
            call
            for call in await self.calls()
            if not call.startswith("GET ") and not call.endswith(READS)
        ]

    async def add(self, email: str | None, **values: Value) -> WorkspaceContact:
        named = {"email": email, **values}
        contact = Contact(
            values={FieldName(name): value for name, value in named.items()}, tags=frozenset()
        )
        keys = keys_of(contact, "JP")
        return await self.ledger.write(
            workspace_contacts.add_contact, NAME, contact, keys, self.clock.now()
        )

    async def edit(
        self, contact_id: ContactId, tags: tuple[str, ...] = (), **values: Value
    ) -> None:
        change = WorkspaceChange(
            values={FieldName(name): value for name, value in values.items()},
            tags_added=frozenset(tags),
        )
        row = await self.here(contact_id)
        keys = keys_of(apply_change(row.contact, change), "JP")
        await self.ledger.write(
            workspace_contacts.change_contact, NAME, contact_id, change, keys, self.clock.now()
        )

    async def here(self, contact_id: ContactId) -> WorkspaceContact:
        row = await self.ledger.read(workspace_contacts.get_contact, NAME, contact_id)
        assert row is not None
        return row

    async def people(self) -> list[WorkspaceContact]:
        found = await self.ledger.read(workspace_contacts.list_contacts, NAME)
        while found and (
            more := await self.ledger.read(workspace_contacts.list_contacts, NAME, found[-1].id)
        ):
            found += more
        return found

    async def receive(self, body: dict[str, Any]) -> EventId:
        raw = json.dumps(body)
        event_id, _ = await self.ledger.write(
            inbox.store_event,
            connection=NAME,
            source="timerex",
            type=body["webhook_type"],
            dedupe_key=read_delivery(raw.encode()).dedupe_key,
            body=raw,
            now=self.clock.now(),
            record=RecordRef("booking", body["event"]["id"]),
        )
        return event_id

    async def notify(self, type_: str, ghl_id: str, **fields: object) -> EventId:
        """Receive a GHL notification about a contact as it is now, without its empty fields."""
        found = [one for one in await self.crm() if one["id"] == ghl_id]
        reported = {key: found[0][key] for key in EVENT_FIELDS if found and found[0].get(key)}
        body: dict[str, Any] = {
            "type": type_,
            "id": ghl_id,
            "tags": [],
            "customFields": [],
            **reported,
            **fields,
        }
        event_id, _ = await self.ledger.write(
            inbox.store_event,
            connection=NAME,
            source="ghl",
            type=type_,
            dedupe_key=str(uuid4()),
            body=json.dumps(body),
            now=self.clock.now(),
            record=RecordRef("ghl", ghl_id) if ghl_id else RecordRef("location"),
        )
        return event_id

    async def handle(self, *event_ids: EventId, replay: bool = False) -> list[Outcome]:
        return [
            await process_event(self.context, handle_inbox_event, event_id, replay=replay)
            for event_id in event_ids
        ]

    async def sync(
        self, scope: Scope = Scope.INCREMENTAL, *, dry_run: bool = False, scan: str = "scan"
    ) -> Counts:
        while await read_page(self.context, scope, scan):
            pass

        keys = await list_changed(self.context, dry_run=dry_run)
        handle = partial(process_record, self.context, partial(handle_contact_key, dry_run=dry_run))
        try:
            return count(await each(handle, keys, at_once(self.context)))
        except BaseExceptionGroup as killed:  # a killed process dies at once, for one reason
            raise killed.exceptions[0] from None

    async def state_of(self, event_id: EventId) -> str:
        event = await self.ledger.read(inbox.read_event, event_id)
        assert event is not None
        return event.state

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def with_settings(self, **changes: Any) -> "World":
        """Publish other settings."""
        settings = self.context.settings.model_copy(update=changes)
        version = self.context.published.model_copy(update={"settings": settings})
        return replace(self, context=replace(self.context, published=version))

    def restarted(self) -> "World":
        """Go on as another process would."""
        return replace(self)


def settings_of(info: SandboxInfo) -> ConnectionSettings:
    return ConnectionSettings(
        name=NAME,
        ghl=GhlSettings(
            location_id=LocationId(info.ghl.location_id),
            base_url=info.ghl.base_url,
            token_url=info.ghl.token_url,
            app_url=info.ghl.base_url,
            credentials="aoba-ghl",
            auth="private-token",
            scopes=EVERY_SCOPE,
            calls_per_10_s=None,
        ),
        timerex=TimerexSettings(
            credentials="aoba-timerex",
            endpoint="0" * 32,
            header="x-token",
            token_digests=("0" * 64,),
        ),
        region="JP",
        rules=DEFAULT_RULES,
    )


@asynccontextmanager
async def opened_world(ledger: Ledger, info: SandboxInfo) -> AsyncGenerator[World]:
    settings = settings_of(info)
    version = PublishedConnection(version=1, settings=settings, published_at=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {info.control.token}"}
    async with (
        httpx.AsyncClient(verify=NO_TLS) as http,
        httpx.AsyncClient(
            base_url=info.control.base_url, headers=headers, verify=NO_TLS
        ) as control,
    ):
        await control.post("/ghl/limits", json={"enabled": False})
        auth = PrivateToken(info.ghl.private_token, EVERY_SCOPE)
        ghl = GhlClient(
            http,
            auth,
            Unlimited(),
            base_url=info.ghl.base_url,
            location_id=settings.ghl.location_id,
        )
        clock, failpoints = SettableClock(), Failpoints()
        runtime = Runtime(clock.now, failpoints.reach)
        context = SyncContext(version, ledger, ghl, CallCount(), run_id="test", runtime=runtime)
        yield World(context, control, clock, failpoints)


@contextmanager
def killed_at(world: World, action: str, moment: str, *, nth: int = 1) -> Generator[None]:
    """Expect a kill the nth time a failpoint is reached, then advance the clock by a minute.

    After that minute GHL's look-ups show everything: what is not found was not created.
    """
    with world.failpoints.armed(action, moment, nth), pytest.raises(KilledError):
        yield
    world.clock.advance(timedelta(minutes=1))
