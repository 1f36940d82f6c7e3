"""A note or task is locked, and all the ledger knows of it is read, at one moment."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import (
    activities,
    intents,
    links,
    locks,
    pending_deletes,
    workspace,
)
from timerex_ghl.adapters.ledger.intents import Intent
from timerex_ghl.adapters.ledger.links import Link
from timerex_ghl.adapters.ledger.locks import Fence
from timerex_ghl.adapters.ledger.pending_deletes import PendingDelete
from timerex_ghl.domain.activities import Activity, ActivityKey
from timerex_ghl.domain.merge_field import Side
from timerex_ghl.domain.models import ConnectionName, FieldName, GhlContactId
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.lock_names import lock_of_activity
from timerex_ghl.engine.locking import TTL_S, Busy, holder_name, insist, renewed


class ActivityKnown(NamedTuple):
    """What the ledger knows of a note or task.

    Attributes:
        has_person: The person whose it is lives here.
        contact_id: Their contact in GHL; None where they have none yet.
        unknown: Writes that were sent and never heard of again.
        delete: How a delete of it stands; None where it was never deleted.
    """

    row: Activity
    link: Link | None
    has_person: bool
    contact_id: GhlContactId | None
    unknown: Sequence[Intent]
    delete: PendingDelete | None

    @property
    def key(self) -> ActivityKey:
        """Name it."""
        return ActivityKey(self.row.kind, self.row.id)


class Settlement(NamedTuple):
    """What a person decided about conflicts of a note or task.

    Attributes:
        fields: Whose value of each field stands.
        note: Notes the decision, in the unit that remembers the record.
    """

    fields: Mapping[FieldName, Side] = {}
    note: Callable[[Connection, datetime], object] = lambda _tx, _now: None


NOTHING_SETTLED = Settlement()


@dataclass
class ActivityHold:
    """The note or task being carried, and the lock that makes us the only one who does.

    Attributes:
        settled: By a person, where one was asked; else the connection's rule decides.
        released: The lock was let go with the last unit of work.
    """

    key: ActivityKey
    fence: Fence
    settled: Settlement = NOTHING_SETTLED
    released: bool = False

    @property
    def record_key(self) -> str:
        """Name it in intents."""
        return str(self.key)


class ActivityClaim(NamedTuple):
    """A note or task of our own for a while."""

    hold: ActivityHold
    known: ActivityKnown


@asynccontextmanager
async def claimed_activity(sides: Sides, key: ActivityKey) -> AsyncGenerator[ActivityClaim | None]:
    """Lock a note or task of the workspace, and read it. None: there is none.

    Raises:
        HeldError: Somebody else carried it all the while.
    """
    holder = holder_name(sides.run_id)
    claim = await insist(
        sides.ledger, lambda: sides.ledger.write(_claim, sides.connection, key, holder)
    )
    if claim is None:
        yield None
        return
    try:
        async with renewed(sides.ledger, claim.hold.fence):
            yield claim
    finally:
        if not claim.hold.released:
            await sides.ledger.write(locks.release_lock, claim.hold.fence)


def read_activity(
    tx: Connection, connection: ConnectionName, key: ActivityKey
) -> ActivityKnown | None:
    """Read a note or task, or its tombstone, with whose it is and how both sides stand."""
    row = activities.get_activity(tx, connection, key)
    if row is None:
        return None
    person = workspace.get_contact(tx, connection, row.contact_id)
    contact = links.link_of_local(tx, connection, "contact", row.contact_id)
    return ActivityKnown(
        row,
        links.link_of_local(tx, connection, key.kind, key.id),
        person is not None and not person.deleted,
        None if contact is None else GhlContactId(contact.remote_id),
        intents.open_intents(tx, connection, [str(key)]),
        pending_deletes.get_delete(tx, connection, key),
    )


def _claim(
    tx: Connection, connection: ConnectionName, key: ActivityKey, holder: str
) -> ActivityClaim | Busy | None:
    names = [lock_of_activity(connection, key)]
    fence = locks.try_lock(tx, names, holder, TTL_S)
    if fence is None:
        return Busy(tuple(names))
    known = read_activity(tx, connection, key)
    if known is None:
        locks.release_lock(tx, fence)
        return None
    return ActivityClaim(ActivityHold(key, fence), known)
