"""Causes of alerts: late events, silent webhooks, used call budgets, revoked tokens."""

import json
import secrets
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Connection, update

from tests.deliveries import confirmed
from tests.flows.conftest import Engine
from timerex_ghl.adapters.ledger.db.schema import metadata
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.oauth_tokens import StoredTokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.inbox.inbox import InboxState
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.adapters.ledger.tables.sync import quota
from timerex_ghl.adapters.ledger.tables.sync.quota import CallLimits, ReportedLimits
from timerex_ghl.domain.shared.models import ConnectionName, LocationId


def publish_earlier(tx: Connection, name: ConnectionName, by: timedelta) -> None:
    """Backdate a connection's publication, from which on webhooks are expected."""
    table = metadata.tables["published_connections"]
    rows = update(table).where(table.c.connection == name)
    tx.execute(rows.values(published_at=datetime.now(UTC) - by))


async def store_polled(engine: Engine, name: ConnectionName, booking: str, *, minutes: int) -> None:
    """Store a booking found by the poll, made some minutes ago."""
    made_at = datetime.now(UTC) - timedelta(minutes=minutes)
    body = confirmed(booking, "quiet@umi.example", created_at=made_at.isoformat())
    await engine.stage.ledger.write(
        inbox.store_event,
        connection=name,
        source="timerex",
        type="event_confirmed",
        origin="poll",
        dedupe_key=f"polled {booking} stands 0 0",
        body=json.dumps(body),
        now=datetime.now(UTC),
        state=InboxState.IGNORED,  # not to be processed in this test
    )


def publish_elsewhere(
    tx: Connection, like: ConnectionName, name: ConnectionName, location_id: LocationId
) -> None:
    """Publish a connection of an OAuth app in another location."""
    known = published.current(tx, like)
    assert known is not None
    ghl = known.settings.ghl.model_copy(update={"location_id": location_id, "auth": "oauth"})
    timerex = known.settings.timerex.model_copy(update={"endpoint": secrets.token_hex(16)})
    update = {"name": name, "ghl": ghl, "timerex": timerex}
    settings = known.settings.model_copy(update=update)
    published.publish(tx, settings, now=datetime.now(UTC))


def use_up(tx: Connection, location_id: LocationId, percent: int) -> None:
    """Record GHL's answer on how much of the daily call budget is used."""
    remaining = quota.DAILY_LIMIT * (100 - percent) // 100
    quota.correct(tx, location_id, ReportedLimits(None, remaining, 3600), CallLimits())


def end_tokens(tx: Connection, key: str) -> None:
    """Record that GHL refused an app's refresh token."""
    family = StoredTokens(
        key=key,
        version=1,
        access=None,
        refresh=SecretStr("seed-canary"),
        expires_at=None,
        scopes=frozenset(),
        seeds=frozenset(),
    )
    secret = SecretKey(Fernet.generate_key().decode())
    oauth_tokens.save_tokens(tx, family, secret, expected_version=None)
    oauth_tokens.mark_reconnect(tx, key, 1)


async def store(
    engine: Engine, name: ConnectionName, booking: str, email: str, *, minutes: int
) -> None:
    """Store a booking webhook that arrived some minutes ago."""
    await engine.stage.ledger.write(
        inbox.store_event,
        connection=name,
        source="timerex",
        type="event_confirmed",
        dedupe_key=booking,
        body=json.dumps(confirmed(booking, email)),
        now=datetime.now(UTC) - timedelta(minutes=minutes),
    )
