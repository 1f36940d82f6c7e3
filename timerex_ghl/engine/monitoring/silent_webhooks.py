"""Find in the ledger whether a connection's webhooks have stopped arriving."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts
from timerex_ghl.adapters.ledger.tables.inbox import inbox_lookups
from timerex_ghl.adapters.ledger.tables.operations import audit, published
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.timerex.polled import happened_at
from timerex_ghl.domain.monitoring.silence import SKEW, Silence, find_silence
from timerex_ghl.domain.shared.errors import Service
from timerex_ghl.domain.shared.models import ConnectionName, GhlContactId
from timerex_ghl.engine.contacts.commit_contact import ADDED, RECONCILED

LOOK_BACK = timedelta(days=1)
"""What polls found before this was already reported, or is out of date."""

SETTING_UP = timedelta(minutes=30)
"""Grace period: a connection's webhooks are entered in TimeRex only once it is published."""

MOST = 2000
"""Audit entries that are read at most."""


def find_silences(
    tx: Connection, connection: ConnectionName, now: datetime
) -> dict[Service, Silence]:
    """Find the services whose webhooks are silent.

    TimeRex's are always expected. GHL's only where one has ever arrived: without an app there are
    none.
    """
    since = now - LOOK_BACK
    timerex_at = inbox_lookups.last_delivery_at(tx, connection, "timerex")
    found: dict[Service, Silence | None] = {
        "TimeRex": find_silence([*_timerex_changes(tx, connection, since)], timerex_at, now)
    }
    ghl_at = inbox_lookups.last_delivery_at(tx, connection, "ghl")
    if ghl_at is not None:
        found["GHL"] = find_silence([*_ghl_changes(tx, connection, since)], ghl_at, now)
    return {service: silence for service, silence in found.items() if silence is not None}


def _timerex_changes(
    tx: Connection, connection: ConnectionName, since: datetime
) -> Iterator[datetime]:
    """Yield when the changes that the poll found had happened, where TimeRex says so.

    Changes before the webhooks could be set up are skipped.
    """
    began_at = published.first_published_at(tx, connection)
    for body in inbox_lookups.polled_since(tx, connection, since):
        at = happened_at(body)
        if at is not None and began_at is not None and at > began_at + SETTING_UP:
            yield at


def _ghl_changes(tx: Connection, connection: ConnectionName, since: datetime) -> Iterator[datetime]:
    """Yield when people changed contacts in GHL whose change went to the workspace.

    Contacts we wrote to at about that time or later are skipped: it may be our own change.
    """
    done = audit.entries_since(tx, connection, (ADDED, RECONCILED), since, MOST)
    ids = {
        GhlContactId(str(entry.detail["ghl"])) for entry in done if not entry.detail.get("to_ghl")
    }
    linked = links.links_of_remotes(tx, connection, "contact", ids)
    for ghl_id, snapshot in ghl_contacts.get_snapshots(tx, connection, ids).items():
        at = snapshot.contact.updated_at
        written_at = linked[ghl_id].written_at if ghl_id in linked else None
        if at is not None and (written_at is None or written_at + SKEW < at):
            yield at
