"""Claim a contact: lock it and read its state in one transaction."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart, workspace_contacts
from timerex_ghl.adapters.ledger.tables.contacts.people import find_people
from timerex_ghl.adapters.ledger.tables.sync import intents, links, locks
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence, WantedLocks
from timerex_ghl.domain.contacts.change_times import GhlReading
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.match_contact import Candidates, Person, candidates_of
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.lock_names import lock_of_contact, locks_of_keys
from timerex_ghl.engine.writes.locking import TTL_S, Busy, Claimed, claim, holder_name
from timerex_ghl.engine.writes.write import Claim


class ContactState(NamedTuple):
    """The ledger's state of a workspace contact.

    Attributes:
        unknown: Writes about it whose outcome is unknown.
        candidates: Whom it may be in GHL, among the pages that were read. None for a linked
            contact, which needs no search.
        last_reading: Its GHL contact as last read; None where it was not read yet.
    """

    person: Person
    unknown: Sequence[Intent]
    candidates: Candidates | None
    last_reading: GhlReading | None = None


ClaimedContact: TypeAlias = Claimed[Claim, ContactState]


class _Ask(NamedTuple):
    connection: ConnectionName
    contact_id: ContactId
    holder: str


def claim_contact(
    context: SyncContext, contact_id: ContactId
) -> AbstractAsyncContextManager[ClaimedContact | None]:
    """Lock a contact of the workspace and read it. None where it does not exist (any more).

    The lock is released with the commit of the contact, or at the end.

    Raises:
        LockedError: Another process kept it locked all the while.
    """
    ask = _Ask(context.connection, contact_id, holder_name(context.run_id))
    return claim(context.ledger, lambda: context.ledger.write_together(_claim, ask))


async def reload_contact(context: SyncContext, contact_id: ContactId) -> ContactState:
    """Read a contact again that is already claimed.

    Raises:
        SkippableError: The contact does not exist any more.
    """
    known = await context.ledger.read(read_state, context.connection, contact_id)
    if known is None:
        raise SkippableError(f"contact {contact_id} is not in the workspace")
    return known


def read_state(
    tx: Connection, connection: ConnectionName, contact_id: ContactId
) -> ContactState | None:
    """Read a contact, or its tombstone."""
    return _read(tx, connection, [contact_id]).get(contact_id)


def _claim(tx: Connection, asks: list[_Ask]) -> list[ClaimedContact | Busy | None]:
    known: dict[_Ask, ContactState] = {}
    for connection in {ask.connection for ask in asks}:
        here = [ask for ask in asks if ask.connection == connection]
        people = _read(tx, connection, [ask.contact_id for ask in here])
        known |= {ask: people[ask.contact_id] for ask in here if ask.contact_id in people}
    living = [ask for ask in asks if ask in known and not known[ask].person.row.deleted]
    wanted = [_wanted(ask, known[ask].person.keys) for ask in living]
    fences = dict(zip(living, locks.try_locks(tx, wanted), strict=True))
    names = dict(zip(living, wanted, strict=True))
    return [
        _claim_of(known[ask], fences[ask], names[ask]) if ask in fences else None for ask in asks
    ]


def _claim_of(
    known: ContactState, fence: Fence | None, wanted: WantedLocks
) -> ClaimedContact | Busy:
    if fence is None:
        return Busy(wanted.names)
    return Claimed(
        Claim(contact_id=known.person.row.id, fence=fence, releases_on_commit=True), known
    )


def _wanted(ask: _Ask, keys: Keys) -> WantedLocks:
    names = [lock_of_contact(ask.connection, ask.contact_id), *locks_of_keys(ask.connection, keys)]
    return WantedLocks(tuple(names), ask.holder, TTL_S)


def _read(
    tx: Connection, connection: ConnectionName, contact_ids: list[ContactId]
) -> dict[ContactId, ContactState]:
    rows = workspace_contacts.get_contacts(tx, connection, contact_ids)
    linked = links.links_of_locals(tx, connection, "contact", contact_ids)
    record_keys = [RecordRef.contact(contact_id) for contact_id in rows]
    unknown = intents.open_by_record(tx, connection, record_keys)
    ghl_ids = {contact_id: GhlContactId(link.remote_id) for contact_id, link in linked.items()}
    readings = ghl_contacts.get_readings(tx, connection, [*ghl_ids.values()])
    lookers = {i: row for i, row in rows.items() if i not in linked and not row.row.deleted}
    people = find_people(tx, connection, [row.keys for row in lookers.values()])
    apart_from = kept_apart.apart_from(tx, connection, people.ghl_ids)
    return {
        contact_id: ContactState(
            Person(keyed.row, linked.get(contact_id), keyed.keys),
            unknown.get(RecordRef.contact(contact_id), ()),
            candidates_of(contact_id, people, apart_from) if contact_id in lookers else None,
            readings.get(ghl_ids.get(contact_id, GhlContactId(""))),
        )
        for contact_id, keyed in rows.items()
    }
