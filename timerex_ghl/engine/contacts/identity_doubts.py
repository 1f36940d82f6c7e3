"""Identity reviews whose cause is gone: what they are about is tried again, which closes them.

The ledger decides: a doubt that only GHL's refusal shows is gone when the contact that GHL named
has no key in common any more.
"""

from datetime import datetime

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart
from timerex_ghl.adapters.ledger.tables.contacts.people import find_people
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.bookings.guest_plan import plan_person
from timerex_ghl.domain.contacts.identity import (
    Match,
    SeveralMatches,
    is_same_person,
    keys_of,
    match_person,
)
from timerex_ghl.domain.shared.errors import ReviewNeededError
from timerex_ghl.domain.shared.models import ContactId, EventId, GhlContactId
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.bookings.event_booking import booking_of_event
from timerex_ghl.engine.contacts.claim_contact import read_state
from timerex_ghl.engine.contacts.match_contact import choose
from timerex_ghl.engine.contacts.resolve_contact import (
    ContactToResolve,
    ResolvedContact,
    resolve_contacts,
)
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.close_reviews import close_review


def retry_clear(tx: Connection, context: SyncContext, now: datetime) -> list[RecordRef]:
    """List the contacts that are no longer in doubt, and requeue such bookings' events."""
    clear: list[RecordRef] = []
    for review in reviews.open_of(tx, context.connection, "identity"):
        match review.subject:
            case RecordRef(kind="event", id=event_id):
                if _is_clear_guest(tx, context, EventId(event_id)):
                    close_review(tx, review, "the doubt is gone", now)
            case RecordRef(kind="ghl", id=ghl_id):
                if _is_clear_ghl(tx, context, GhlContactId(ghl_id)):
                    clear.append(review.subject)
            case _:
                if _is_clear_contact(tx, context, review):
                    clear.append(review.subject)
    return clear


def _is_clear_guest(tx: Connection, context: SyncContext, event_id: EventId) -> bool:
    row = booking_of_event(tx, context.connection, inbox.read_event(tx, event_id))
    if row is None:
        return False
    guest = plan_person(row.booking, None, context.settings.rules)
    keys = keys_of(guest, context.settings.region)
    people = find_people(tx, context.connection, [keys])
    known = match_person(keys, people.known, people.others)
    if isinstance(known, Match):
        return True
    remote = match_person(keys, people.unlinked, [one.keys for one in people.known])
    return not isinstance(known, SeveralMatches) and not isinstance(remote, SeveralMatches)


def _is_clear_ghl(tx: Connection, context: SyncContext, ghl_id: GhlContactId) -> bool:
    (result,) = resolve_contacts(tx, [ContactToResolve(context, ghl_id, adds=False)])
    if not isinstance(result, ResolvedContact) or result.snapshot is None:
        return False
    return result.contact_id is None or _is_sure(tx, context, result.contact_id)


def _is_sure(tx: Connection, context: SyncContext, contact_id: ContactId) -> bool:
    """Return whether a workspace contact is linked, or GHL has one contact at most for it."""
    state = read_state(tx, context.connection, contact_id)
    if state is None or state.candidates is None:
        return True
    try:
        choose(state.person.keys, state.candidates, contact_id)
    except ReviewNeededError:
        return False
    return True


def _is_clear_contact(tx: Connection, context: SyncContext, review: Review) -> bool:
    contact_id = ContactId(review.subject.id)
    state = read_state(tx, context.connection, contact_id)
    if state is None or state.person.row.deleted or state.candidates is None:
        return False  # a linked contact is no question of identity, unless GHL refuses a write
    keys = state.person.keys
    try:
        found = choose(keys, state.candidates, contact_id)
    except ReviewNeededError:
        return False
    named = [GhlContactId(ghl_id) for ghl_id in review.detail.get("ghl_ids", ())]
    known = ghl_contacts.get_snapshots(tx, context.connection, named)
    if found is None:
        return named == [*known] and not any(is_same_person(keys, k.keys) for k in known.values())
    owners = find_people(tx, context.connection, [keys]).unlinked
    apart = kept_apart.apart_from(tx, context.connection, [found.id])
    return any(one.person.id == found.id for one in owners) and not apart
