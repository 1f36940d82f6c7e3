"""Guests who book, and people who edit, delete and merge contacts on both sides.

Webhooks of both services are stored by `deliver` alone, so a story may lose or reorder them.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from tests.engine.activity_story import Side
from tests.engine.activity_world import ActivityWorld
from tests.engine.calendar_world import RIGHTS
from tests.engine.person_steps import StoryBooking, forget_moves
from tests.engine.world import NAME, World, opened_world
from tests.receiver import open_receiver
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import events
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.actions import AddTags, RemoveTags, UpdateContact, WorkspaceChange
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.ghl_models import GhlCalendarId
from timerex_ghl.domain.shared.models import (
    ContactId,
    EventId,
    FieldName,
    GhlContactId,
    Value,
    WorkspaceContact,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.writes.recovery import ACTION, LOOK_AGAIN
from timerex_ghl.sandbox.info import SandboxInfo
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.edits import Editor

FIELDS = ("email", "phone", "city")
TAGS = ("vip", "cold")
CrmContact = dict[str, Any]


class Scene(NamedTuple):
    """Both sides at one moment.

    Attributes:
        here: The workspace's living contacts.
        crm: GHL's living contacts.
        links: The GHL contact of each workspace contact, deleted ones included.
        unknown: Fields and tags of workspace contacts in writes without an answer so far.
    """

    here: dict[ContactId, WorkspaceContact]
    crm: dict[str, CrmContact]
    links: dict[ContactId, str]
    unknown: set[tuple[str, str]]

    def pairs(self) -> list[tuple[ContactId, str]]:
        """Return the linked contacts that live on both sides."""
        return [
            (contact_id, ghl_id)
            for contact_id, ghl_id in self.links.items()
            if contact_id in self.here and ghl_id in self.crm
        ]


def value_here(row: WorkspaceContact, name: str) -> Value:
    """Return a field of a workspace contact, or whether it has a tag."""
    if name in TAGS:
        return "yes" if name in (row.contact.tags or ()) else None
    return row.contact.values.get(FieldName(name))


def value_in_crm(contact: CrmContact, name: str) -> Value:
    """Return a field of a GHL contact, or whether it has a tag."""
    if name in TAGS:
        return "yes" if name in contact["tags"] else None
    return contact.get(name)


def emails_of(contact: CrmContact) -> set[str]:
    """Return all e-mails of a GHL contact."""
    more = [one["email"] for one in contact["additionalEmails"]]
    return {email.lower() for email in (contact.get("email"), *more) if email}


def phones_of(contact: CrmContact) -> set[str]:
    """Return all phones of a GHL contact."""
    more = [one["phone"] for one in contact["additionalPhones"]]
    return {phone for phone in (contact.get("phone"), *more) if phone}


@dataclass
class PersonWorld:
    """The workspace, GHL and TimeRex.

    Attributes:
        outbox: TimeRex's deliveries that were not received yet.
    """

    acts: ActivityWorld
    outbox: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def world(self) -> World:
        return self.acts.world

    @property
    def ledger(self) -> Ledger:
        return self.acts.ledger

    @property
    def editor(self) -> Editor:
        return Editor(self.world.context.settings, "token:test")

    async def advance(self, by: timedelta) -> None:
        """Set our clock forward, and that of GHL's times of change."""
        self.world.clock.advance(by)
        ahead = self.world.clock.now() - datetime.now(UTC)
        offset = {"clock_offset_ms": round(ahead / timedelta(milliseconds=1))}
        await self.world.ask("POST", "/ghl/settings", offset)

    async def appointments(self, ghl_id: str) -> list[str]:
        """List the ids of a GHL contact's appointments."""
        listed = await self.world.context.ghl.list_contact_appointments(
            GhlContactId(ghl_id), ZoneInfo("UTC")
        )
        return [one.id for one in listed]

    async def scene(self) -> Scene:
        """Read both sides as they are."""
        here = {row.id: row for row in await self.world.people()}
        crm = {one["id"]: one for one in await self.world.crm()}
        linked = await self.ledger.read(_contact_links)
        return Scene(here, crm, linked, await self.ledger.read(_unknown, here))

    # the workspace

    async def add(self, values: Mapping[str, Value]) -> ContactId | None:
        """Add a contact as the API does; None where it is refused."""
        entry = WorkspaceChange(values={FieldName(name): one for name, one in values.items()})
        try:
            row = await self.ledger.write(
                contact_edits.add_contact, self.editor, entry, self.world.clock.now()
            )
        except SkippableError:
            return None
        return row.id

    async def edit(self, contact_id: ContactId, **changes: Value) -> bool:
        """Change fields and tags as the API does; return whether that was accepted."""
        entry = WorkspaceChange(
            values={FieldName(name): one for name, one in changes.items() if name not in TAGS},
            tags_added=frozenset(tag for tag in TAGS if changes.get(tag)),
            tags_removed=frozenset(tag for tag in TAGS if tag in changes and not changes[tag]),
        )
        now = self.world.clock.now()
        try:
            await self.ledger.write(_change, self.editor, contact_id, entry, now)
        except SkippableError:
            return False
        return True

    async def delete(self, contact_id: ContactId) -> None:
        """Delete a contact as the API does."""
        await self.ledger.write(_delete, self.editor, contact_id, self.world.clock.now())

    # GHL

    async def edit_crm(self, contact: CrmContact, name: str, value: Value) -> None:
        """Change a field or a tag as a person in GHL does."""
        body: dict[str, Any] = {name: value}
        if name in TAGS:
            others = [tag for tag in contact["tags"] if tag != name]
            body = {"tags": [*others, name] if value else others}
        await self.world.ask("PATCH", f"/ghl/contacts/{contact['id']}", body)

    async def fail(self, operation: str, kind: str) -> None:
        """Let the next call of an operation fail: with a 503, or without an answer."""
        order = {"operation": operation, "kind": kind, "value": 503 if kind == "status" else 0}
        await self.world.ask("POST", "/ghl/faults", order)

    # sync

    async def deliver(self) -> None:
        """Store all webhooks, as the gateway does."""
        await self.acts.store()
        bodies, self.outbox = self.outbox, []
        for body in bodies:
            await self.world.receive(body)

    async def lose(self, side: Side, bookings: Iterable[StoryBooking]) -> None:
        """Lose the deliveries of GHL or TimeRex that were not received yet."""
        if side == "ghl":
            return await self.acts.lose_webhooks()
        forget_moves(bookings, self.outbox)
        return self.outbox.clear()

    async def try_once(self) -> None:
        """Process each due event once. No webhook is stored."""
        await self.world.handle(*await self._due())

    async def process(self) -> None:
        """Store and process all webhooks and events until only later checks are pending."""
        for _ in range(60):
            await self.deliver()
            if due := await self._due():
                await self.world.handle(*due)
            elif await self.ledger.read(_postponed):
                await self.advance(LOOK_AGAIN)
            else:
                return
        raise AssertionError("events are processed again and again")

    async def _due(self) -> list[EventId]:
        return await self.ledger.read(inbox.waiting_events, NAME, self.world.clock.now(), 100)


@asynccontextmanager
async def opened_people(
    ledger: Ledger, info: SandboxInfo, *, allow_duplicates: bool, has_calendar: bool
) -> AsyncGenerator[PersonWorld]:
    """Open a world whose bookings have a phone, as an answer in the form."""
    calendars = (CalendarRule(timerex="*", ghl=GhlCalendarId(info.ghl.calendar_id)),)
    async with opened_world(ledger, info) as world, open_receiver() as endpoint:
        await world.ask("POST", "/ghl/webhook", {"url": endpoint.url("/ghl")})
        await world.ask("POST", "/ghl/settings", {"allow_duplicates": allow_duplicates})
        rules = [
            rule.model_copy(update={"answer_label": "Phone"}) if rule.field == "phone" else rule
            for rule in world.context.settings.rules
        ]
        mapped = world.context.settings.appointments.model_copy(update={"calendars": calendars})
        changes = {"appointments": mapped} if has_calendar else {}
        world.context.ghl.auth = PrivateToken(info.ghl.private_token, RIGHTS)
        published = world.with_settings(rules=tuple(rules), **changes)
        yield PersonWorld(ActivityWorld(published, endpoint))


def _contact_links(tx: Connection) -> dict[ContactId, str]:
    table = links.links
    rows = tx.execute(
        select(table.c.local_id, table.c.remote_id).where(
            table.c.connection == NAME, table.c.kind == "contact"
        )
    )
    return {ContactId(row.local_id): row.remote_id for row in rows}


def _unknown(tx: Connection, contact_ids: Iterable[ContactId]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for contact_id in contact_ids:
        for intent in intents.open_intents(tx, NAME, [RecordRef.contact(contact_id)]):
            match ACTION.validate_json(intent.payload):
                case UpdateContact(base=base):
                    found |= {(contact_id, field) for field in base.values}
                case AddTags() | RemoveTags():
                    found |= {(contact_id, tag) for tag in TAGS}
                case _:
                    pass
    return found


def _postponed(tx: Connection) -> list[EventId]:
    """List the pending events without the checks of moves, which are due much later."""
    rows = tx.scalars(
        select(events.c.id).where(
            events.c.connection == NAME, events.c.state == "waiting", events.c.origin != "timer"
        )
    )
    return [EventId(row) for row in rows]


def _change(
    tx: Connection, editor: Editor, contact_id: ContactId, entry: WorkspaceChange, now: datetime
) -> None:
    contact_edits.change_contact(tx, editor, contact_id, entry, now, versions=None)


def _delete(tx: Connection, editor: Editor, contact_id: ContactId, now: datetime) -> None:
    contact_edits.delete_contact(tx, editor, contact_id, now, versions=None)


def bookings_pending(tx: Connection) -> set[str]:
    """List the bookings with an event that has no final state, or waits for a person."""
    rows = tx.scalars(
        select(events.c.record).where(
            events.c.connection == NAME,
            events.c.source == "timerex",
            events.c.state.in_(["waiting", "review", "dead"]),
        )
    )
    return {ref.id for ref in rows}
