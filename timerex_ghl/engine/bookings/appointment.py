"""The appointment that mirrors a booking: created once, then updated."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.operations import GET_APPOINTMENT
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.appointment_fields import (
    DELETED,
    as_sent,
    base_after,
)
from timerex_ghl.domain.bookings.appointment_plan import AppointmentPlan, plan_appointments
from timerex_ghl.domain.shared.actions import (
    AppointmentAction,
    AppointmentWrite,
    Conflict,
    CreateAppointment,
    DeleteAppointment,
)
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.ghl_models import GhlAppointment
from timerex_ghl.domain.shared.models import (
    BookingId,
    ConnectionName,
    Contact,
    FieldName,
    GhlContactId,
    Value,
)
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.activities.write_activity import Gone
from timerex_ghl.engine.bookings.appointment_calls import (
    find_appointment,
    find_refused,
    look_again,
    read_appointment,
    send_appointment,
)
from timerex_ghl.engine.bookings.mirror_state import MirrorState
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.record_conflict import record_conflict
from timerex_ghl.engine.writes.recovery import close
from timerex_ghl.engine.writes.write import Claim, commit_outcome, send_write


async def mirror_in_appointment(
    context: SyncContext, claim: Claim, mirror: MirrorState, ghl_id: GhlContactId
) -> int:
    """Reconcile the appointments of a booking's chain; return the number of writes.

    An appointment that a person deleted in GHL stays deleted.

    Raises:
        ScopeError: The token lacks the right to appointments.
    """
    plan = await _plan(context, mirror, ghl_id)
    if plan.moves or plan.kept:
        await context.ledger.write(_keep, context.connection, plan, context.now())
    written = 0
    for action in plan.actions:
        written += await _write(context, claim, action)
    return written


async def _plan(context: SyncContext, mirror: MirrorState, ghl_id: GhlContactId) -> AppointmentPlan:
    """Plan from the bases; where that gives a write, plan again from what GHL has now."""
    rules = context.settings.appointments.calendars
    plan = plan_appointments(mirror.chain, mirror.appointments, ghl_id, rules, {})
    if not plan.actions and not plan.kept:
        return plan
    first = plan.actions[0].kind if plan.actions else GET_APPOINTMENT.name
    refusal = context.ghl.refusal_of(first) or context.ghl.refusal_of(GET_APPOINTMENT.name)
    if refusal is not None:
        raise refusal
    states = {
        booking_id: state if state.status == DELETED else await look_again(context.ghl, state)
        for booking_id, state in mirror.appointments.items()
    }
    has_hosts = any(row.host_emails for row in mirror.chain)
    users = await context.users.ids(context.ghl) if has_hosts else {}
    return plan_appointments(mirror.chain, states, ghl_id, rules, users)


async def _write(context: SyncContext, claim: Claim, action: AppointmentAction) -> bool:
    """Send one action; False where the appointment was deleted meanwhile."""
    if isinstance(action, DeleteAppointment):
        return await _delete(context, claim, action)
    find = partial(find_refused, context, action)
    send = partial(send_appointment, context.ghl, context.settings.appointments, action, find)
    try:
        written = await send_write(context, claim, action, send, find=find)
    except NotFoundError:
        if isinstance(action, CreateAppointment):
            raise
        return False
    await commit_outcome(context, written, partial(_commit, context, action))
    return True


async def _delete(context: SyncContext, claim: Claim, action: DeleteAppointment) -> bool:
    async def send() -> Gone:
        await context.ghl.delete_appointment(action.appointment_id)
        return Gone(action.appointment_id)

    try:
        written = await send_write(context, claim, action, send)
    except NotFoundError:
        await context.ledger.write(_drop, context.connection, action)
        return False
    await commit_outcome(context, written, lambda tx, _: _drop(tx, context.connection, action))
    return True


def _drop(tx: Connection, connection: ConnectionName, action: DeleteAppointment) -> None:
    links.drop_link(tx, connection, "appointment", action.booking_id)


def _keep(tx: Connection, connection: ConnectionName, plan: AppointmentPlan, now: datetime) -> None:
    """Move appointments to their successors, and save bases that need no write."""
    for old, new in plan.moves:
        links.move_link(tx, connection, "appointment", old, new)
    for kept in plan.kept:
        save_base(tx, connection, kept.booking_id, kept.base)
        _record(tx, connection, kept.booking_id, kept.conflicts, now)


def _record(
    tx: Connection,
    connection: ConnectionName,
    booking_id: BookingId,
    conflicts: Iterable[Conflict],
    now: datetime,
) -> None:
    """Record both values of each conflict, with the base that ends it."""
    for conflict in conflicts:
        by = "the rule for appointments"
        record_conflict(tx, connection, RecordRef.booking(booking_id), conflict, by, now)


def save_base(
    tx: Connection, connection: ConnectionName, booking_id: BookingId, base: dict[FieldName, str]
) -> None:
    """Save the base of a linked appointment, without a digest: a sweep compares it again."""
    link = links.link_of_local(tx, connection, "appointment", booking_id)
    if link is not None:
        links.save_links(tx, [link.model_copy(update={"base": _base_of(base), "digest": None})])


def _base_of(base: dict[FieldName, str]) -> Contact:
    values: dict[FieldName, Value] = {**base}
    return Contact(values=values, tags=None)


def _commit(
    context: SyncContext, action: AppointmentWrite, tx: Connection, answer: GhlAppointment
) -> None:
    """Save a write's result, unless the appointment was moved to another booking since."""
    base = _base_of(base_after(action, answer))
    if isinstance(action, CreateAppointment):
        link = Link(
            connection=context.connection,
            kind="appointment",
            local_id=action.booking_id,
            remote_id=answer.id,
        )
    else:
        link = links.link_of_local(tx, context.connection, "appointment", action.booking_id)
        _record(tx, context.connection, action.booking_id, action.conflicts, context.now())
    if link is not None:
        changes = {"base": base, "digest": None, "written_at": context.now()}
        links.save_links(tx, [link.model_copy(update=changes)])


async def recover_appointments(
    context: SyncContext, unknown: list[tuple[Intent, AppointmentAction]]
) -> None:
    """Close the open intents about a contact's appointments, by those that GHL shows now."""
    for intent, action in unknown:
        if isinstance(action, DeleteAppointment):
            await _recover_delete(context, intent, action)
            continue
        found = await find_appointment(context, intent, action)
        if found is not None:
            await context.ledger.write(_commit_recovered, context, action, found)
        result_id = found.id if found else None
        await context.ledger.write(close, intent, result_id)


async def _recover_delete(context: SyncContext, intent: Intent, action: DeleteAppointment) -> None:
    now = await read_appointment(context.ghl, action.appointment_id)
    is_gone = now is None or now.deleted
    if is_gone:
        await context.ledger.write(_drop, context.connection, action)
    await context.ledger.write(close, intent, action.appointment_id if is_gone else None)


def _commit_recovered(
    tx: Connection, context: SyncContext, action: AppointmentWrite, found: GhlAppointment
) -> None:
    """Save what was sent as the base: a sweep then finds what people changed since."""
    _commit(context, action, tx, as_sent(action, found))
