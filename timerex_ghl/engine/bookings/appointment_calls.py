"""Send an appointment to GHL, read it, or find it again after a write without an answer."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.calendars import AppointmentChanges, MoreOfAppointment, NewAppointment
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    ASSIGNED_TO,
    CANCELLED,
    DETAILS,
    ENDS_AT,
    STARTS_AT,
    STATUS,
    TITLE,
    AppointmentState,
    as_sent,
    is_shown,
)
from timerex_ghl.domain.connections.settings import AppointmentSettings
from timerex_ghl.domain.shared.actions import AppointmentWrite, CreateAppointment
from timerex_ghl.domain.shared.errors import NotFoundError, SkippableError
from timerex_ghl.domain.shared.ghl_models import (
    AppointmentStatus,
    GhlAppointment,
    GhlAppointmentId,
    GhlUserId,
)
from timerex_ghl.domain.shared.models import ConnectionName, FieldName
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import wait_if_young

FARTHEST_ZONE = timedelta(days=1)
"""A local time that is read as UTC is off by less."""


async def send_appointment(
    ghl: GhlClient,
    settings: AppointmentSettings,
    action: AppointmentWrite,
    find: Callable[[], Awaitable[GhlAppointment | None]],
) -> GhlAppointment:
    """Send one action, without the assignee where GHL refuses one outside the calendar's team.

    Between the two, `find` looks for what the refused call may have made all the same.
    """
    try:
        return await _send(ghl, settings, action, action.values)
    except NotFoundError:
        raise
    except SkippableError:
        if ASSIGNED_TO not in action.values:
            raise
        if (made := await find()) is not None:
            return made
    remaining = {field: value for field, value in action.values.items() if field != ASSIGNED_TO}
    return await _send(ghl, settings, action, remaining)


async def _send(
    ghl: GhlClient,
    settings: AppointmentSettings,
    action: AppointmentWrite,
    values: dict[FieldName, str],
) -> GhlAppointment:
    more = _more_of(values, settings)
    if isinstance(action, CreateAppointment):
        if values[STATUS] == CANCELLED:
            more["notifies"] = False  # the guest was never invited, so there is nothing to cancel
        new: NewAppointment = {
            **more,
            "calendar_id": action.calendar_id,
            "contact_id": action.contact_id,
            "starts_at": datetime.fromisoformat(values[STARTS_AT]),
        }
        return await ghl.create_appointment(**new)
    if not values:
        return await ghl.get_appointment(action.appointment_id)
    changes: AppointmentChanges = {**more}
    if STARTS_AT in values:
        changes["starts_at"] = datetime.fromisoformat(values[STARTS_AT])
    return await ghl.update_appointment(action.appointment_id, **changes)


def _more_of(values: dict[FieldName, str], settings: AppointmentSettings) -> MoreOfAppointment:
    more: MoreOfAppointment = {
        "notifies": settings.notifies,
        "ignores_slots": settings.ignores_slots,
    }
    if ENDS_AT in values:
        more["ends_at"] = datetime.fromisoformat(values[ENDS_AT])
    if TITLE in values:
        more["title"] = values[TITLE]
    if STATUS in values:
        more["status"] = cast("AppointmentStatus", values[STATUS])
    if ASSIGNED_TO in values:
        more["assigned_to"] = GhlUserId(values[ASSIGNED_TO])
    if ADDRESS in values:
        more["address"] = values[ADDRESS]
    if DETAILS in values:
        more["description"] = values[DETAILS]
    return more


async def look_again(ghl: GhlClient, state: AppointmentState) -> AppointmentState:
    """Read the current state of an appointment in GHL."""
    now = await read_appointment(ghl, state.id)
    return state.model_copy(update={"now": now, "is_gone": now is None})


async def read_appointment(
    ghl: GhlClient, appointment_id: GhlAppointmentId
) -> GhlAppointment | None:
    """Read an appointment; None where it is gone. A deleted one can mostly still be read."""
    try:
        return await ghl.get_appointment(appointment_id)
    except NotFoundError:
        return None


async def find_appointment(
    context: SyncContext, intent: Intent, action: AppointmentWrite
) -> GhlAppointment | None:
    """Find the appointment that an action wrote; None where it changed nothing.

    Raises:
        RetryableError: One was sent moments ago and may not be found yet.
    """
    if not isinstance(action, CreateAppointment):
        now = await read_appointment(context.ghl, action.appointment_id)
        return now if now is not None and is_shown(action.values, now) else None
    made = await _find_made(context, action)
    if made is None:
        wait_if_young(context, intent, "an appointment")
    return made


async def find_refused(context: SyncContext, action: AppointmentWrite) -> GhlAppointment | None:
    """Find the appointment of a create that GHL refused, as it was sent; None where it has none."""
    made = await _find_made(context, action) if isinstance(action, CreateAppointment) else None
    return None if made is None else as_sent(action, made)


async def _find_made(context: SyncContext, action: CreateAppointment) -> GhlAppointment | None:
    """Find an unlinked appointment of this contact, calendar and instant.

    The list has local times, in which an hour comes twice in autumn: so each is read by its id.
    """
    starts_at = datetime.fromisoformat(action.values[STARTS_AT])
    try:
        listed = await context.ghl.list_contact_appointments(action.contact_id, ZoneInfo("UTC"))
    except NotFoundError:
        return None
    near = [
        one.id
        for one in listed
        if one.calendar_id == action.calendar_id
        and (one.starts_at is None or abs(one.starts_at - starts_at) <= FARTHEST_ZONE)
    ]
    for appointment_id in await context.ledger.read(_without_link, context.connection, near):
        one = await read_appointment(context.ghl, appointment_id)
        if one is not None and not one.deleted and _at(one) == starts_at:
            return one
    return None


def _at(appointment: GhlAppointment) -> datetime | None:
    at = appointment.starts_at
    return None if at is None else at.astimezone(UTC).replace(microsecond=0)


def _without_link(
    tx: Connection, connection: ConnectionName, ids: list[GhlAppointmentId]
) -> list[GhlAppointmentId]:
    linked = links.links_of_remotes(tx, connection, "appointment", ids)
    return [appointment_id for appointment_id in ids if appointment_id not in linked]
