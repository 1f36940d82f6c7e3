"""Find the GHL contact that a gone one was merged into, or that was made again in its place.

Its keys are searched first. Where it kept none of them, an appointment or a task that was the gone
contact's names it: those move along, and their ids stay.

Source: docs/vendors/ghl.md#merges.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.activities import activities
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.activities.activity_fields import TITLE, text_of
from timerex_ghl.domain.contacts.identity import is_same_person, keys_of
from timerex_ghl.domain.shared.errors import NotFoundError, ScopeError
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    ContactId,
    GhlContact,
    GhlContactId,
    WorkspaceContact,
)
from timerex_ghl.engine.contacts.match_contact import ask_ghl
from timerex_ghl.engine.context import SyncContext

LOOK_UPS = 3
"""Appointments that are read, and tasks that are searched for."""


class _Records(NamedTuple):
    """Records of a contact in GHL. `tasks`: titles by id in GHL."""

    appointments: list[GhlAppointmentId]
    tasks: dict[str, str]


async def find_survivor(
    context: SyncContext, row: WorkspaceContact, gone_id: GhlContactId
) -> GhlContact | None:
    """Return the contact that took a gone one's place; None where none surely did."""
    by_keys = await _find_by_keys(context, row, gone_id)
    if by_keys is not None:
        return by_keys
    records = await context.ledger.read(_records_of, context.connection, row.id)
    for find in (_owner_of_appointments, _owner_of_tasks):
        try:
            owner = await find(context, records, gone_id)
        except ScopeError:  # without the right to read them, they cannot help
            continue
        if owner is not None:
            return await read_if_there(context, owner)
    return None


async def read_if_there(context: SyncContext, ghl_id: GhlContactId) -> GhlContact | None:
    """Read a contact; None where it is gone."""
    try:
        return await context.ghl.get_contact(ghl_id)
    except NotFoundError:
        return None


async def _find_by_keys(
    context: SyncContext, row: WorkspaceContact, gone_id: GhlContactId
) -> GhlContact | None:
    """Find the contact with the gone one's e-mail, maybe as an additional one, or its phone.

    A phone alone does not make somebody of it whom the workspace knows as another person.
    """
    keys = keys_of(row.contact, context.settings.region)
    found = await ask_ghl(context, keys)
    if found is None or found.contact.id == gone_id or not is_same_person(keys, found.keys):
        return None
    if keys.emails.isdisjoint(found.keys.emails):
        owner = await context.ledger.read(
            links.link_of_remote, context.connection, "contact", found.contact.id
        )
        if owner is not None and owner.local_id != row.id:
            return None
    return found.contact


async def _owner_of_appointments(
    context: SyncContext, records: _Records, gone_id: GhlContactId
) -> GhlContactId | None:
    for appointment_id in records.appointments:
        try:
            owner = (await context.ghl.get_appointment(appointment_id)).contact_id
        except NotFoundError:
            continue
        if owner not in (None, gone_id):
            return owner
    return None


async def _owner_of_tasks(
    context: SyncContext, records: _Records, gone_id: GhlContactId
) -> GhlContactId | None:
    for task_id, title in records.tasks.items():
        page = await context.ghl.search_tasks(words=title)
        owners = (task.contact_id for task in page.tasks if task.id == task_id)
        owner = next(owners, None)
        if owner not in (None, gone_id):
            return owner
    return None


def _records_of(tx: Connection, connection: ConnectionName, contact_id: ContactId) -> _Records:
    """List the newest records of a contact that GHL has, a few of each kind."""
    rows = bookings.bookings_of(tx, connection, contact_id)
    newest = sorted(rows, key=lambda row: row.booking.starts_at, reverse=True)
    ids = [row.booking.id for row in newest]
    appointments = links.links_of_locals(tx, connection, "appointment", ids)
    mine = [GhlAppointmentId(appointments[i].remote_id) for i in ids if i in appointments]
    wanted = WantedActivities(contact_id=contact_id)
    tasks = activities.list_activities(tx, connection, "task", wanted)
    linked = links.links_of_locals(tx, connection, "task", [task.id for task in tasks])
    titles = {
        linked[task.id].remote_id: text_of(task.values, TITLE) or ""
        for task in sorted(tasks, key=lambda task: task.created_at, reverse=True)
        if task.id in linked
    }
    return _Records(mine[:LOOK_UPS], dict([*titles.items()][:LOOK_UPS]))
