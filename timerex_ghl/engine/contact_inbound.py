"""The sentence of a hint from GHL: something about a contact may have changed, so it is read."""

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ghl.mappers import contact_from_webhook
from timerex_ghl.adapters.ledger import ghl_contacts, links, locks
from timerex_ghl.adapters.ledger.inbox import InboxEvent
from timerex_ghl.domain.contact_notifications import tells_news
from timerex_ghl.domain.errors import NotFoundError, ReviewNeededError
from timerex_ghl.domain.identity import keys_of
from timerex_ghl.domain.mapping import map_from_ghl
from timerex_ghl.domain.models import ContactId, GhlContact, GhlContactId
from timerex_ghl.engine.activities.activity_inbound import carry_activity_hint
from timerex_ghl.engine.appointment_inbound import carry_appointment_hint
from timerex_ghl.engine.claim import claimed
from timerex_ghl.engine.contact import carry_contact, carry_unknown_contact
from timerex_ghl.engine.context import Sides
from timerex_ghl.engine.follow_merge import follow_merge
from timerex_ghl.engine.lock_names import locks_of_keys
from timerex_ghl.engine.locking import Busy, insist
from timerex_ghl.engine.outcome import Outcome
from timerex_ghl.engine.reconcile import bring_level

DELETED, UNINSTALLED = "ContactDelete", "UNINSTALL"


class _Known(NamedTuple):
    """Who a contact is here. `is_news`: the hint says more than both sides agreed on."""

    contact_id: ContactId | None
    is_news: bool


async def carry_hint(sides: Sides, event: InboxEvent) -> Outcome:
    """Look into what a hint tells of.

    Raises:
        CredentialsError: The app is no longer installed. The hint waits, and all others with it.
    """
    if event.type == UNINSTALLED:
        await sides.ghl.auth.check_install()  # it may be older than the install we live by
        return Outcome(what="no-op")
    match event.record.partition(":")[0]:
        case "ghl":
            return await _carry_contact(sides, event)
        case "ghl-note":
            return await carry_activity_hint(sides, event, "note")
        case "ghl-task":
            return await carry_activity_hint(sides, event, "task")
        case "ghl-appointment":
            return await carry_appointment_hint(sides, event)
        case _:
            return Outcome(what="ignored")


async def _carry_contact(sides: Sides, event: InboxEvent) -> Outcome:
    """Bring the workspace level with the contact that a hint is about.

    Our own writes come back as hints, too, often while we are still at it: one that tells what both
    sides agree on by then costs no call.
    """
    told = _told(event)
    known = await insist(sides.ledger, lambda: sides.ledger.read(_known, sides, told))
    if event.type == DELETED:
        return await _check_gone(sides, told.id, known.contact_id)
    if known.contact_id is None:
        return await carry_unknown_contact(sides, told.id)
    if not known.is_news:
        return Outcome(what="no-op", contact_id=told.id)
    async with claimed(sides, known.contact_id) as claim:
        known = await sides.ledger.read(_known_now, sides, told)
        if claim is None or not known.is_news:
            return Outcome(what="no-op", contact_id=told.id)
        return (await bring_level(sides, claim.hold, claim.known)).outcome


async def _check_gone(sides: Sides, ghl_id: GhlContactId, contact_id: ContactId | None) -> Outcome:
    """Look whether a contact is gone indeed. It may have been merged: then its other one is found.

    Whoever is gone for good is asked about, and kept.

    Raises:
        ReviewNeededError: It is gone, and was somebody's.
    """
    if contact_id is None:
        return await carry_unknown_contact(sides, ghl_id)
    try:
        await sides.ghl.get_contact(ghl_id)
    except NotFoundError as error:
        survivor = await follow_merge(sides, contact_id, ghl_id)
        if survivor is not None:
            return await carry_contact(sides, survivor)
        raise ReviewNeededError(
            f"GHL contact {ghl_id} was deleted: nothing was written",
            kind="gone",
            people=[contact_id],
            ghl_ids=[ghl_id],
        ) from error
    return await carry_contact(sides, contact_id)


def _told(event: InboxEvent) -> GhlContact:
    """Read the contact as the event tells it; a payload without it tells of nothing but its id."""
    payload: dict[str, Any] = json.loads(event.body)
    return contact_from_webhook({**payload, "id": event.record.partition(":")[2]})


def _known(tx: Connection, sides: Sides, told: GhlContact) -> "_Known | Busy":
    """Look who a contact is; busy while somebody with its e-mail or phone is being carried."""
    known = _known_now(tx, sides, told)
    if known.contact_id is None:
        keys = keys_of(map_from_ghl(told, sides.settings.rules), sides.settings.region)
        names = locks_of_keys(sides.connection, keys)
        if locks.taken(tx, names):
            return Busy(tuple(names))
    return known


def _known_now(tx: Connection, sides: Sides, told: GhlContact) -> "_Known":
    link = links.link_of_remote(tx, sides.connection, "contact", told.id)
    if link is None:
        return _Known(None, is_news=True)
    seen = ghl_contacts.get_snapshots(tx, sides.connection, [told.id]).get(told.id)
    is_level = seen is not None and _digest(sides, seen.contact) == link.digest
    settings = sides.settings
    is_news = (
        seen is None
        or not is_level
        or tells_news(told, seen.contact, settings.rules, settings.region)
    )
    return _Known(ContactId(link.local_id), is_news=is_news)


def _digest(sides: Sides, ghl: GhlContact) -> str:
    return ghl_contacts.digest_of(map_from_ghl(ghl, sides.settings.rules))
