"""Writes about a contact whose outcome is unknown, and the base that follows from each write."""

from collections.abc import Sequence
from datetime import datetime

from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.contact_base import base_if_shown
from timerex_ghl.domain.contacts.mapping import map_from_ghl
from timerex_ghl.domain.shared.actions import ContactAction, CreateContact
from timerex_ghl.domain.shared.models import Contact, GhlContact, GhlContactId
from timerex_ghl.engine.contacts.commit_contact import commit_recovered
from timerex_ghl.engine.contacts.match_contact import Person
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION, wait_if_young


async def recover_contact(
    context: SyncContext, person: Person, unknown: Sequence[Intent], ghl: GhlContact | None
) -> Person:
    """Close the open intents about a contact, by what GHL has now; return it with its new base.

    Raises:
        RetryableError: A contact was sent moments ago and may not be found yet.
    """
    for intent in unknown:
        action = ACTION.validate_json(intent.payload)
        if not isinstance(action, ContactAction):
            continue  # closed by the handler of its own record
        if isinstance(action, CreateContact) and ghl is None:
            wait_if_young(context, intent, "a contact")
        base = None if ghl is None else _base_if_shown(context, person, action, ghl)
        if ghl is not None and base is not None:
            person = relinked(context, person, ghl.id, base, intent.created_at)
            await context.ledger.write(commit_recovered, intent, person.link, ghl.id)
        else:
            await context.ledger.write(commit_recovered, intent, None, None)
    return person


def _base_if_shown(
    context: SyncContext, person: Person, action: ContactAction, ghl: GhlContact
) -> Contact | None:
    shown = map_from_ghl(ghl, context.settings.rules)
    return base_if_shown(person.base, action, shown, context.settings.region)


def relinked(
    context: SyncContext, person: Person, ghl_id: GhlContactId, base: Contact, now: datetime
) -> Person:
    """Return a person whose link has the base after a write: the link it has, or its first."""
    before = person.link or Link(
        connection=context.connection, kind="contact", local_id=person.row.id, remote_id=ghl_id
    )
    return person._replace(link=before.model_copy(update={"base": base, "written_at": now}))
