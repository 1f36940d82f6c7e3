"""A phone that another contact of GHL has: where GHL wants it once, it stays in the workspace.

Source: the location's rule on duplicates, docs/vendors/ghl.md#contacts.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, kept_apart, withheld_values
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import Snapshot
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.adapters.ledger.tables.contacts.people import KeyedGhlContact
from timerex_ghl.domain.contacts.contact_plan import (
    PHONE,
    sent_phone,
    withhold_phone,
)
from timerex_ghl.domain.contacts.identity import Keys, is_same_person
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.actions import ContactPlan, WithheldValue
from timerex_ghl.domain.shared.errors import DuplicateContactError, ReviewNeededError
from timerex_ghl.domain.shared.models import ContactId, GhlContact, GhlContactId
from timerex_ghl.domain.shared.normal import phone_key
from timerex_ghl.engine.contacts.match_contact import Person, accept_match, with_keys
from timerex_ghl.engine.context import SyncContext


async def withhold_taken_phone(
    context: SyncContext, person: Person, ghl: GhlContact | None, plan: ContactPlan
) -> ContactPlan:
    """Take the phone out of a plan if GHL would refuse it.

    A contact that would have neither e-mail nor phone then is left to GHL's answer.
    """
    key = phone_key(sent_phone(plan), context.settings.region)
    if key is None or (ghl is None and person.keys.email is None):
        return plan
    taken = await context.ledger.read(_find_taken, context, person.row.id, ghl, key)
    if taken is None:
        return plan
    if not taken.was_refused and not await context.location.forbids_shared_phone(context.ghl):
        return plan
    withheld = WithheldValue(field=PHONE, key=key, ghl_id=taken.ghl_id)
    return withhold_phone(plan, person.base, withheld)


async def answer_refusal(
    context: SyncContext,
    person: Person,
    ghl: GhlContact | None,
    plan: ContactPlan,
    refused: DuplicateContactError,
) -> GhlContact | ContactPlan:
    """Return how to go on after GHL refused a write since another contact has the e-mail or phone.

    A contact to be created that GHL has already is that contact, if it is the same person. A phone
    of somebody else stays in the workspace: then the plan without it is returned.

    Raises:
        ReviewNeededError: A person must decide.
    """
    existing = with_keys(context, await context.ghl.get_contact(GhlContactId(refused.contact_id)))
    if ghl is None and await _may_be(context, person, existing):
        return await accept_match(context, person, existing.contact)
    key = phone_key(sent_phone(plan), context.settings.region)
    is_findable = ghl is not None or person.keys.email is not None
    if key is None or not is_findable or not person.keys.emails.isdisjoint(existing.keys.emails):
        raise ReviewNeededError(
            str(refused),
            kind="identity",
            people=[person.row.id],
            ghl_ids=[refused.contact_id],
        ) from refused
    await context.ledger.write(_save_snapshot, context, existing)
    taken = WithheldValue(field=PHONE, key=key, ghl_id=existing.contact.id)
    return withhold_phone(plan, person.base, taken)


async def _may_be(context: SyncContext, person: Person, existing: KeyedGhlContact) -> bool:
    """Return whether the contact that GHL named may be this person's.

    Two who share a phone, and whom a person has kept apart, are not.
    """
    if not is_same_person(person.keys, existing.keys):
        return False
    pair = ContactPair(person.row.id, existing.contact.id)
    pairs = await context.ledger.read(
        kept_apart.apart_from, context.connection, [existing.contact.id]
    )
    return (
        pair not in pairs
        or not person.keys.emails
        or bool(person.keys.emails & existing.keys.emails)
    )


class _Taken(NamedTuple):
    """The contact that has a phone. `was_refused`: GHL refused the phone because of it before."""

    ghl_id: GhlContactId
    was_refused: bool


def _find_taken(
    tx: Connection, context: SyncContext, contact_id: ContactId, ghl: GhlContact | None, key: str
) -> _Taken | None:
    connection = context.connection
    own = None if ghl is None else ghl.id
    found = ghl_contacts.find_by_keys(tx, connection, [Keys(None, key)])
    ids = [one.contact.id for one in found if one.contact.id != own]
    if not ids:
        return None
    refused = withheld_values.withheld_of(tx, connection, [contact_id])
    before = next((one.ghl_id for one in refused if one.ghl_id in ids), None)
    return _Taken(before or ids[0], was_refused=before is not None)


def _save_snapshot(tx: Connection, context: SyncContext, existing: KeyedGhlContact) -> None:
    ghl, keys = existing
    digest = ghl_contacts.digest_of(map_from_ghl(ghl, context.settings.rules))
    snapshot = Snapshot(ghl, keys, digest)
    ghl_contacts.save_snapshots(tx, context.connection, [snapshot], context.now())
