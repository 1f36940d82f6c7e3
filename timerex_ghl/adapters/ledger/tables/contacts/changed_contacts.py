"""Contacts of the workspace that changed since they were in sync."""

from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import contact_snapshots
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import contacts
from timerex_ghl.adapters.ledger.tables.operations.review_lookups import is_set_aside
from timerex_ghl.adapters.ledger.tables.sync.links import is_ruled_otherwise, links
from timerex_ghl.domain.shared.models import ConnectionName, ContactId

MOST_MISSING = 100
"""So many missing contacts are looked up in one run: each costs a call."""


def missing_contacts(
    tx: Connection, connection: ConnectionName, since: datetime
) -> list[ContactId]:
    """List contacts whose GHL contact was not read since a full scan began: it may be gone."""
    linked = and_(
        links.c.connection == contacts.c.connection,
        links.c.kind == "contact",
        links.c.local_id == contacts.c.id,
    )
    snapshot = and_(
        contact_snapshots.c.connection == links.c.connection,
        contact_snapshots.c.id == links.c.remote_id,
    )
    statement = (
        select(contacts.c.id)
        .join(links, linked)
        .join(contact_snapshots, snapshot)
        .where(
            contacts.c.connection == connection,
            ~contacts.c.deleted,
            contact_snapshots.c.read_at < since,
            ~is_set_aside("contact", contacts.c.connection, contacts.c.id, contacts.c.version),
        )
        .order_by(contacts.c.id)
        .limit(MOST_MISSING)
    )
    return [ContactId(contact_id) for contact_id in tx.scalars(statement)]


def changed_contacts(
    tx: Connection, connection: ConnectionName, published_version: int | None = None
) -> list[ContactId]:
    """List contacts that are not linked, or changed in the workspace since they were in sync.

    So are those whose differences other rules left than those of the published version. Left out:
    deleted ones, and those with a review for their current version.
    """
    linked = and_(
        links.c.connection == contacts.c.connection,
        links.c.kind == "contact",
        links.c.local_id == contacts.c.id,
    )
    statement = (
        select(contacts.c.id)
        .outerjoin(links, linked)
        .where(contacts.c.connection == connection, ~contacts.c.deleted)
        .where(
            or_(
                links.c.local_version.is_(None),
                links.c.local_version != contacts.c.version,
                is_ruled_otherwise(published_version),
            ),
            ~is_set_aside("contact", contacts.c.connection, contacts.c.id, contacts.c.version),
        )
        .order_by(contacts.c.created_at, contacts.c.id)
    )
    return [ContactId(contact_id) for contact_id in tx.scalars(statement)]
