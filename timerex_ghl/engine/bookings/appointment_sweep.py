"""Sweep GHL's calendars for appointment changes that no webhook reported."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.operations import LIST_EVENTS
from timerex_ghl.adapters.ledger.tables.sync import links, sweeps
from timerex_ghl.adapters.ledger.tables.sync.sweeps import Standing
from timerex_ghl.domain.bookings.appointment_fields import CALENDAR
from timerex_ghl.domain.bookings.appointment_scan import describe_shown, is_looked_at, is_otherwise
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.ghl_models import GhlAppointment, GhlAppointmentId, GhlCalendarId
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.appointment_inbound import look_at_appointment
from timerex_ghl.engine.bookings.mirror_state import appointment_of
from timerex_ghl.engine.context import SyncContext

DAY = timedelta(days=1)
"""How far to look back, since attendance is entered after a meeting, and ahead without bookings."""


class _Found(NamedTuple):
    """An appointment whose listing differs from the base.

    Attributes:
        shows: Description of what the list shows.
        is_news: The previous sweep saw something else.
    """

    id: GhlAppointmentId
    shows: str
    is_news: bool


async def list_changed_appointments(context: SyncContext, now: datetime) -> list[RecordRef]:
    """List the appointments that differ in GHL's calendars from when they were last in sync.

    That includes those removed from a calendar. Costs one call a calendar.

    Raises:
        ScopeError: The token lacks the right to read appointments.
    """
    begins_at = now - DAY
    standing = await context.ledger.read(
        sweeps.standing_appointments, context.connection, begins_at
    )
    calendars = _calendars_of(context, standing)
    if not calendars:
        return []
    refusal = context.ghl.refusal_of(LIST_EVENTS.name)
    if refusal is not None:
        raise refusal
    ends_at = max((one.ends_at for one in standing if one.ends_at > now), default=now + DAY)
    listed = [
        shown
        for calendar_id in calendars
        for shown in await _list(context, calendar_id, begins_at, ends_at)
    ]
    found = await context.ledger.read(_compare, context.connection, standing, listed, now)
    news = {one.id: one.shows for one in found if one.is_news}
    if news:
        await context.ledger.write(sweeps.note_shown, context.connection, news)
    return [RecordRef("ghl-appointment", one.id) for one in found]


async def handle_listed_appointment(
    context: SyncContext, appointment_id: GhlAppointmentId, *, dry_run: bool
) -> Outcome:
    """Process an appointment that a sweep listed, as its notification would be processed.

    A look that finds nothing new, or that fails for good, is recorded: the appointment is not
    looked at again for a while, though the list still differs.
    """
    try:
        outcome = await look_at_appointment(context, appointment_id, dry_run=dry_run)
    except SkippableError:
        if not dry_run:
            await _note_look(context, appointment_id)
        raise
    if outcome.what != "applied" and not dry_run:
        await _note_look(context, appointment_id)
    return outcome


def _calendars_of(context: SyncContext, standing: Sequence[Standing]) -> list[GhlCalendarId]:
    mapped = {rule.ghl for rule in context.settings.appointments.calendars}
    used = {GhlCalendarId(appointment_of(one.link).base.get(CALENDAR, "")) for one in standing}
    return sorted((mapped | used) - {GhlCalendarId("")})


async def _list(
    context: SyncContext, calendar_id: GhlCalendarId, begins_at: datetime, ends_at: datetime
) -> list[GhlAppointment]:
    """List a calendar; nothing where GHL does not have it: its appointments are read by id."""
    try:
        return await context.ghl.list_events(calendar_id, begins_at, ends_at)
    except SkippableError:
        return []


def _compare(
    tx: Connection,
    connection: ConnectionName,
    standing: Sequence[Standing],
    listed: Collection[GhlAppointment],
    now: datetime,
) -> list[_Found]:
    """Find what differs from its base. Unlinked appointments are GHL's own and are skipped."""
    shown = {one.id: one for one in listed}
    ids = {*shown, *(one.link.remote_id for one in standing)}
    found: list[_Found] = []
    for link in links.links_of_remotes(tx, connection, "appointment", ids).values():
        appointment_id = GhlAppointmentId(link.remote_id)
        shown_there = shown.get(appointment_id)
        shows = describe_shown(shown_there)
        if is_otherwise(appointment_of(link), shown_there) and not is_looked_at(
            link.digest, link.checked_at, shows, now
        ):
            found.append(_Found(appointment_id, shows, is_news=link.digest != shows))
    return found


async def _note_look(context: SyncContext, appointment_id: GhlAppointmentId) -> None:
    await context.ledger.write(
        links.mark_checked, context.connection, "appointment", [appointment_id], context.now()
    )
