"""Claim a note or task: lock it and read its state in one transaction."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.activities import activities, pending_deletes
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import PendingDelete
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import Activity, ActivityKey
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_activity
from timerex_ghl.engine.writes.locking import TTL_S, Busy, Claimed, Lock, claim, holder_name


class ActivityState(NamedTuple):
    """What the ledger knows of a note or task.

    Attributes:
        has_person: Its contact is in the workspace and not deleted.
        contact_id: Its contact in GHL; None where there is none yet.
        unknown: Writes that were sent and whose outcome is unknown.
        delete: The state of its delete; None where it was never deleted.
    """

    row: Activity
    link: Link | None
    has_person: bool
    contact_id: GhlContactId | None
    unknown: Sequence[Intent]
    delete: PendingDelete | None

    @property
    def key(self) -> ActivityKey:
        """Return its key."""
        return ActivityKey(self.row.kind, self.row.id)


@dataclass(kw_only=True)
class ActivityClaim(Lock):
    """The note or task being processed, and the lock on it."""

    key: ActivityKey

    @property
    def record_key(self) -> RecordRef:
        """Return the record in intents."""
        return self.key.ref


ClaimedActivity: TypeAlias = Claimed[ActivityClaim, ActivityState]


def claim_activity(
    context: SyncContext, key: ActivityKey
) -> AbstractAsyncContextManager[ClaimedActivity | None]:
    """Lock a note or task of the workspace and read it. None where it does not exist.

    Raises:
        LockedError: Another process kept it locked all the while.
    """
    holder = holder_name(context.run_id)
    return claim(
        context.ledger, lambda: context.ledger.write(_claim, context.connection, key, holder)
    )


def read_activity(
    tx: Connection, connection: ConnectionName, key: ActivityKey
) -> ActivityState | None:
    """Read a note or task, or its tombstone, with its contact, link, intents and delete."""
    row = activities.get_activity(tx, connection, key)
    if row is None:
        return None
    person = workspace_contacts.get_contact(tx, connection, row.contact_id)
    contact = links.link_of_local(tx, connection, "contact", row.contact_id)
    return ActivityState(
        row,
        links.link_of_local(tx, connection, key.kind, key.id),
        person is not None and not person.deleted,
        None if contact is None else GhlContactId(contact.remote_id),
        intents.open_intents(tx, connection, [key.ref]),
        pending_deletes.get_delete(tx, connection, key),
    )


def _claim(
    tx: Connection, connection: ConnectionName, key: ActivityKey, holder: str
) -> ClaimedActivity | Busy | None:
    names = [lock_of_activity(connection, key)]
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    known = read_activity(tx, connection, key)
    if known is None:
        locks.release_locks(tx, [fence])
        return None
    return Claimed(ActivityClaim(key=key, fence=fence), known)
