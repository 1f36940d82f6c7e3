"""A contact that was deleted in the workspace while its creation in GHL had no answer yet."""

from collections.abc import Mapping

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.contacts.identity import Keys, keys_of
from timerex_ghl.domain.shared.actions import CreateContact
from timerex_ghl.domain.shared.models import ContactId, GhlContactId
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION, close


def link_tombstones(
    tx: Connection, context: SyncContext, unlinked: Mapping[GhlContactId, Keys]
) -> set[GhlContactId]:
    """Link GHL contacts to the deleted contacts they were created for; return which.

    Their creation was sent, its answer was lost, and the workspace's contact was deleted meanwhile.
    Taken for new contacts, they would come back.
    """
    linked: set[GhlContactId] = set()
    for intent in intents.open_of_kind(tx, context.connection, "contact.create"):
        action = ACTION.validate_json(intent.payload)
        if not isinstance(action, CreateContact) or not _is_deleted(tx, context, intent):
            continue
        sent = keys_of(action.base, context.settings.region)
        same = (one for one, keys in unlinked.items() if keys == sent and one not in linked)
        ghl_id = next(same, None)
        if ghl_id is None:
            continue
        link = Link(
            connection=context.connection,
            kind="contact",
            local_id=intent.record_key.id,
            remote_id=ghl_id,
            written_at=intent.created_at,
            base=action.base,
        )
        links.save_links(tx, [link])
        close(tx, intent, ghl_id)
        linked.add(ghl_id)
    return linked


def _is_deleted(tx: Connection, context: SyncContext, intent: Intent) -> bool:
    contact_id = ContactId(intent.record_key.id)
    row = workspace_contacts.get_contact(tx, context.connection, contact_id)
    return row is not None and row.deleted
