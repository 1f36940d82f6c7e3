"""A connection whose bookings become appointments, in the sandbox's calendar."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tests.engine.polling_world import opened_polling
from tests.engine.world import EVERY_SCOPE, NAME, World
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.ghl_models import GhlAppointment, GhlCalendarId
from timerex_ghl.domain.shared.models import BookingId, BookingRow, GhlContactId
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.sandbox.info import SandboxInfo

RIKU = "riku@hinode.example"
HANA = {"name": "Hana Mori", "email": "Hana.Mori@aoba.example"}
EVENTS = "/calendars/events/appointments"
RIGHTS = EVERY_SCOPE | {
    "calendars.readonly", "calendars/events.readonly", "calendars/events.write", "users.readonly",
}  # fmt: skip


@dataclass
class CalendarWorld:
    """The workspace and GHL, with a calendar.

    Attributes:
        user_id: Hana Mori, the only one in the calendar's team.
        timerex: TimeRex's REST API, for tests that use it.
        sent: Bodies of the writes to appointments, oldest first.
    """

    world: World
    calendar_id: GhlCalendarId
    user_id: str
    timerex: TimerexClient
    sent: list[dict[str, Any]]

    def with_settings(self, **changes: Any) -> "CalendarWorld":
        """Publish other appointment settings."""
        context = self.world.context
        mapped = context.settings.appointments.model_copy(update=changes)
        settings = context.settings.model_copy(update={"appointments": mapped})
        version = context.published.model_copy(update={"settings": settings})
        return replace(self, world=replace(self.world, context=replace(context, published=version)))

    def with_timerex(self) -> "CalendarWorld":
        """Use TimeRex's REST API: bookings must be in TimeRex then."""
        context = replace(self.world.context, timerex=self.timerex)
        return replace(self, world=replace(self.world, context=context))

    async def lose(self, right: str) -> None:
        """Go on with a token that lacks a scope."""
        ghl = self.world.context.ghl
        ghl.auth = PrivateToken(await ghl.auth.token(), ghl.auth.scopes() - {right})

    async def receive(self, body: dict[str, Any]) -> Outcome:
        """Receive a delivery of TimeRex, and process it."""
        (outcome,) = await self.world.handle(await self.world.receive(body))
        return outcome

    async def appointments(self, email: str = RIKU) -> list[GhlAppointment]:
        """Read all appointments of a guest by id, which gives exact times."""
        contact = await self.world.one_in_crm(email)
        contact_id, zone = GhlContactId(contact["id"]), ZoneInfo("UTC")
        listed = await self.world.context.ghl.list_contact_appointments(contact_id, zone)
        return [await self.world.context.ghl.get_appointment(one.id) for one in listed]

    async def one(self, email: str = RIKU) -> GhlAppointment:
        found = await self.appointments(email)
        assert len(found) == 1, f"{len(found)} appointments of one booking"
        return found[0]

    async def edit(self, appointment_id: str, **changes: object) -> None:
        """Change an appointment as a person in the CRM does."""
        await self.world.ask("PUT", f"/ghl/person{EVENTS}/{appointment_id}", changes)

    async def delete(self, appointment_id: str) -> None:
        await self.world.ask("DELETE", f"/ghl/person/calendars/events/{appointment_id}", {})

    async def notify(self, type_: str, appointment_id: str) -> Outcome:
        """Receive a GHL notification about an appointment, and process it."""
        body = {"type": type_, "appointment": {"id": appointment_id}}
        now = self.world.clock.now()
        event_id, _ = await self.world.ledger.write(
            inbox.store_event,
            connection=NAME,
            source="ghl",
            type=type_,
            dedupe_key=f"{type_} {now.timestamp()}",
            body=json.dumps(body),
            now=now,
            record=RecordRef("ghl-appointment", appointment_id),
        )
        (outcome,) = await self.world.handle(event_id)
        return outcome

    async def book(self, **changes: Any) -> BookingId:
        """Book in the sandbox's TimeRex, and process what its webhook would deliver."""
        starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
        guest = {"guest_name": "Riku Sato", "guest_email": RIKU, "starts_at": starts_at.isoformat()}
        made = await self.world.ask("POST", "/timerex/bookings", guest | changes)
        booking_id = BookingId(made["event_id"])
        await self.receive_notifications(booking_id)
        return booking_id

    async def receive_notifications(self, booking_id: BookingId) -> list[Outcome]:
        """Process the deliveries that TimeRex has for a booking."""
        reported = (await self.world.ask("GET", "/timerex/deliveries"))["deliveries"]
        mine = [one for one in reported if one["event_id"] == booking_id]
        bodies = [
            json.loads((await self.world.ask("GET", f"/timerex/deliveries/{one['id']}"))["body"])
            for one in mine
        ]
        return [await self.receive(body) for body in bodies]

    async def handle_waiting(self, *, later: timedelta = timedelta()) -> list[Outcome]:
        """Process all pending events."""
        now = self.world.clock.now() + later
        due = await self.world.ledger.read(inbox.waiting_events, NAME, now, 100)
        return await self.world.handle(*due)

    async def blocked(self, booking_id: str) -> BookingRow:
        row = await self.world.ledger.read(bookings.get_booking, NAME, BookingId(booking_id))
        assert row is not None
        return row

    async def link(self, booking_id: str) -> Link:
        link = await self.world.ledger.read(links.link_of_local, NAME, "appointment", booking_id)
        assert link is not None
        return link

    async def audited(self, booking_id: str) -> list[str]:
        entries = await self.world.ledger.read(
            audit.entries_about, RecordRef("booking", booking_id)
        )
        return [entry.what for entry in entries]

    async def timerex_calls(self) -> list[str]:
        calls = (await self.world.ask("GET", "/timerex/calls"))["calls"]
        return [call["operation"] for call in calls]


@asynccontextmanager
async def opened_calendar(ledger: Ledger, info: SandboxInfo) -> AsyncGenerator[CalendarWorld]:
    sent: list[dict[str, Any]] = []

    async def note(request: httpx.Request) -> None:
        if EVENTS in request.url.path and request.method != "GET":
            sent.append(json.loads(request.content))

    async with (
        opened_polling(ledger, info) as polling,
        httpx.AsyncClient(event_hooks={"request": [note]}, verify=NO_TLS) as http,
    ):
        context = polling.world.context
        ghl = GhlClient(
            http,
            PrivateToken(info.ghl.private_token, RIGHTS),
            Unlimited(),
            base_url=info.ghl.base_url,
            location_id=context.settings.ghl.location_id,
        )
        calendar_id = GhlCalendarId(info.ghl.calendar_id)
        world = replace(polling.world, context=replace(context, ghl=ghl, timerex=None))
        opened = CalendarWorld(world, calendar_id, info.ghl.user_id, polling.unlimited, sent)
        rules = (CalendarRule(timerex="*", ghl=calendar_id),)
        yield opened.with_settings(calendars=rules)
