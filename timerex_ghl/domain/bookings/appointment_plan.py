"""Plan one appointment for each chain of bookings, in the GHL calendar mapped to theirs.

A three-way merge, field by field: only what TimeRex changed since the base is written. What people
change in GHL stays: TimeRex cannot receive it. Where both changed a field, TimeRex's times and
status win, and GHL's texts and assignee.
"""

from collections.abc import Collection, Iterable, Mapping
from operator import eq
from typing import Final
from unicodedata import normalize

from timerex_ghl.domain.bookings.appointment_fields import (
    ADDRESS,
    ASSIGNED_TO,
    ATTENDED,
    CALENDAR,
    CANCELLED,
    CONFIRMED,
    CONTACT,
    DELETED,
    DETAILS,
    ENDS_AT,
    GHL_ADDRESS,
    GHL_TITLE,
    HOSTS,
    STARTS_AT,
    STATE,
    STATUS,
    TITLE,
    AppointmentState,
    moment_text,
    texts_of,
)
from timerex_ghl.domain.bookings.booking_merge import head_of, join_chain, owner_of, root_of
from timerex_ghl.domain.bookings.note_text import is_same_text, one_line, render_details
from timerex_ghl.domain.connections.settings import CalendarRule
from timerex_ghl.domain.shared.actions import (
    AppointmentAction,
    Conflict,
    CreateAppointment,
    DeleteAppointment,
    UpdateAppointment,
)
from timerex_ghl.domain.shared.ghl_models import GhlCalendarId, GhlUserId
from timerex_ghl.domain.shared.merge_field import FieldPolicy, merge_fields
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingState,
    ConflictRule,
    FieldName,
    GhlContactId,
    Record,
)

ANY: Final = "*"


class KeptAppointment(Record):
    """A booking whose appointment needs no write, its new base, and what both sides changed."""

    booking_id: BookingId
    base: dict[FieldName, str]
    conflicts: tuple[Conflict, ...] = ()


class AppointmentPlan(Record):
    """How to bring the appointments of a chain in sync.

    Attributes:
        moves: Links to change first, each from the old booking to the new one.
        actions: What to write afterwards.
        kept: Bases that change without a write.
    """

    moves: tuple[tuple[BookingId, BookingId], ...] = ()
    actions: tuple[AppointmentAction, ...] = ()
    kept: tuple[KeptAppointment, ...] = ()


def map_calendar(booking: Booking, rules: Iterable[CalendarRule]) -> GhlCalendarId | None:
    """Return the GHL calendar of a booking, by the first rule that fits."""
    names = {ANY, booking.calendar_id, _spelling(booking.calendar_name)}
    return next(
        (rule.ghl for rule in rules if {rule.timerex, _spelling(rule.timerex)} & names), None
    )


def plan_appointments(
    rows: Collection[Booking],
    states: Mapping[BookingId, AppointmentState],
    contact_id: GhlContactId,
    rules: Iterable[CalendarRule],
    users: Mapping[str, GhlUserId],
) -> AppointmentPlan:
    """Plan the writes so that one appointment shows a chain of bookings.

    A successor gets the nearest appointment before it. A second one on the same contact is deleted:
    its booking arrived before it was known to belong to the chain. One of another person (who
    rebooked under another name) is cancelled. A moved booking whose successor has not arrived
    changes nothing.

    Args:
        rows: Every stored booking of the chain.
        states: The appointments these bookings have.
        contact_id: The guest of the chain's head.
        rules: Which calendar is for which bookings; an existing appointment stays in its calendar.
        users: The location's users by e-mail.
    """
    chain = join_chain(rows)
    head = head_of(chain)
    owners = {booking_id: state.contact_id for booking_id, state in states.items()}
    owner = owner_of(chain, owners, contact_id)
    moves = ((owner, head.id),) if owner is not None and owner != head.id else ()
    if owner is not None:
        first = _follow(head, root_of(chain), states[owner], users)
    else:
        first = _create(head, root_of(chain), contact_id, map_calendar(head, rules), users)
    extras = [row.id for row in chain if row.id != owner and row.id in states]
    shown_on = states[owner].contact_id if owner else contact_id
    planned = [first, *(_end(booking_id, states[booking_id], shown_on) for booking_id in extras)]
    return AppointmentPlan(
        moves=moves,
        actions=tuple(one for one in planned if isinstance(one, AppointmentAction)),
        kept=tuple(one for one in planned if isinstance(one, KeptAppointment)),
    )


def _wanted(booking: Booking, root_id: BookingId) -> dict[FieldName, str]:
    """Return the fields that TimeRex wants. The meeting's link is only for a confirmed booking."""
    parts = (one_line(booking.calendar_name), one_line(booking.guest_name or ""))
    wanted = {
        STATE: booking.state.value,
        STARTS_AT: moment_text(booking.starts_at),
        ENDS_AT: moment_text(booking.ends_at),
        TITLE: ": ".join(filter(None, parts)) or "Booking",
        DETAILS: render_details(booking, root_id),
        HOSTS: " ".join(booking.host_emails),
    }
    if booking.state is BookingState.CONFIRMED:
        wanted[ADDRESS] = one_line(booking.join_url or "")
    return wanted


def _create(
    head: Booking,
    root_id: BookingId,
    contact_id: GhlContactId,
    calendar_id: GhlCalendarId | None,
    users: Mapping[str, GhlUserId],
) -> CreateAppointment | None:
    """Plan a new appointment. A booking that was cancelled meanwhile gets a cancelled one."""
    if calendar_id is None or head.state is BookingState.MOVED:
        return None
    wanted = _wanted(head, root_id)
    user = _user_of(head, users)
    values = {
        **{field: value for field in SENT if (value := wanted.get(field))},
        STATUS: CONFIRMED if head.state is BookingState.CONFIRMED else CANCELLED,
        **({ASSIGNED_TO: user} if user else {}),
    }
    return CreateAppointment(
        contact_id=contact_id,
        booking_id=head.id,
        calendar_id=calendar_id,
        values=values,
        base={**wanted, CONTACT: contact_id, CALENDAR: calendar_id},
    )


def _follow(
    head: Booking, root_id: BookingId, state: AppointmentState, users: Mapping[str, GhlUserId]
) -> UpdateAppointment | KeptAppointment | None:
    """Plan the update of an appointment. One that was deleted in GHL stays deleted."""
    if head.state is BookingState.MOVED:
        return None
    wanted = _wanted(head, root_id)
    if all(state.base.get(field) == value for field, value in wanted.items()):
        return None
    if state.status == DELETED:
        is_over = state.base.get(STATUS) == DELETED or wanted[STATE] != CONFIRMED
        found = () if is_over else (_status_kept(wanted, state),)
        return _plan_one(head.id, state, {}, wanted, found)
    times, over_times = _merge_times(wanted, state)
    texts, over_texts = _merge_texts(wanted, state, _user_of(head, users))
    return _plan_one(head.id, state, {**times, **texts}, wanted, (*over_times, *over_texts))


def _end(
    booking_id: BookingId, state: AppointmentState, shown_on: GhlContactId
) -> UpdateAppointment | DeleteAppointment | KeptAppointment | None:
    """Delete or cancel an appointment whose booking was moved to another one."""
    moved = {STATE: BookingState.MOVED.value}
    if state.base.get(STATE) == BookingState.MOVED:
        return None
    is_over = state.status in {CANCELLED, DELETED, *ATTENDED}
    if not is_over and state.contact_id == shown_on:
        return DeleteAppointment(
            contact_id=shown_on, booking_id=booking_id, appointment_id=state.id
        )
    return _plan_one(booking_id, state, {} if is_over else {STATUS: CANCELLED}, moved)


def _plan_one(
    booking_id: BookingId,
    state: AppointmentState,
    values: dict[FieldName, str],
    wanted: dict[FieldName, str],
    conflicts: tuple[Conflict, ...] = (),
) -> UpdateAppointment | KeptAppointment:
    base = {**state.base, **wanted, STATUS: state.status}
    if not values:
        return KeptAppointment(booking_id=booking_id, base=base, conflicts=conflicts)
    return UpdateAppointment(
        contact_id=state.contact_id,
        booking_id=booking_id,
        appointment_id=state.id,
        values=values,
        base=base,
        conflicts=conflicts,
    )


def _merge_times(
    wanted: Mapping[FieldName, str], state: AppointmentState
) -> tuple[dict[FieldName, str], tuple[Conflict, ...]]:
    """Return the times and status to write: TimeRex wins, and both times are written together.

    GHL owns whether the guest came, until the booking is moved to another time.
    """
    is_confirmed = wanted[STATE] == CONFIRMED
    times = {field: wanted[field] for field in (STARTS_AT, ENDS_AT)}
    is_moved = is_confirmed and any(state.base.get(field) != times[field] for field in times)
    is_owned_by_ghl = state.status in ATTENDED and not is_moved
    fields = [*(times if is_confirmed else ()), *(() if is_owned_by_ghl else (STATUS,))]
    workspace = {**times, STATUS: wanted[STATE]}
    ghl = {**state.times, STATUS: state.status}
    # A booking that was moved, or stands again, is another appointment: it has no base.
    is_same_slot = not is_moved and state.base.get(STATE) == wanted[STATE]
    policies = [FieldPolicy[str](field, eq, ConflictRule.WORKSPACE) for field in fields]
    merged = merge_fields(workspace, ghl, workspace if is_same_slot else {}, policies)
    conflicts = tuple(
        one.model_copy(update={"base": state.base.get(one.field)})
        for one in merged.conflicts
        if one.ghl != state.base.get(one.field)  # else GHL has not changed it since the base
    )
    is_owned_edit = is_owned_by_ghl and wanted[STATE] != state.base.get(STATE)
    if is_owned_edit and state.status != state.base.get(STATUS):
        conflicts = (*conflicts, _status_kept(wanted, state))
    values = merged.to_ghl
    return ({**times, **values} if values.keys() & times.keys() else values), conflicts


def _status_kept(wanted: Mapping[FieldName, str], state: AppointmentState) -> Conflict:
    """Record that GHL's status stays, though TimeRex changed the booking, too."""
    then = state.base.get(STATUS)
    return Conflict(
        field=STATUS, workspace=wanted[STATE], ghl=state.status, base=then, winner="ghl"
    )


def _merge_texts(
    wanted: Mapping[FieldName, str], state: AppointmentState, user: GhlUserId | None
) -> tuple[dict[FieldName, str], tuple[Conflict, ...]]:
    """Return the texts and assignee to write: GHL's users win."""
    then, shown = state.base, texts_of(state.now) if state.now else {}
    # A booking that was cancelled from the start had no address: what GHL had counts as the base.
    base = {TITLE: "", ADDRESS: then.get(GHL_ADDRESS, ""), DETAILS: "", HOSTS: "", **then}
    # GHL keeps some values in a form of its own, so only what differs from that, too, is an edit.
    edits = {
        field: shown[field]
        for field, shown_then in ((TITLE, GHL_TITLE), (ADDRESS, GHL_ADDRESS))
        if field in shown
        and not any(is_same_text(shown[field], then.get(one, "")) for one in (field, shown_then))
    }
    if (assigned_to := shown.get(ASSIGNED_TO, "")) not in {"", then.get(ASSIGNED_TO, "")}:
        edits[HOSTS] = assigned_to
    fields = [field for field in (TITLE, ADDRESS, DETAILS, HOSTS) if field in wanted]
    policies = [FieldPolicy(field, is_same_text, ConflictRule.GHL) for field in fields]
    merged = merge_fields(wanted, {**base, **edits}, base, policies)
    values = merged.to_ghl
    if values.pop(HOSTS, None) is not None and user is not None:
        values[ASSIGNED_TO] = user
    changed = {field: value for field, value in values.items() if value != shown.get(field)}
    return changed, merged.conflicts


def _user_of(booking: Booking, users: Mapping[str, GhlUserId]) -> GhlUserId | None:
    return next((users[email] for email in booking.host_emails if email in users), None)


def _spelling(name: str) -> str:
    return " ".join(normalize("NFKC", name).casefold().split())


SENT = (STARTS_AT, ENDS_AT, TITLE, ADDRESS, DETAILS)
