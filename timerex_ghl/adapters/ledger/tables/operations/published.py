"""Published connections: checked, numbered, immutable versions of settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    Select,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.domain.connections.settings import ConnectionSettings, PublishedConnection
from timerex_ghl.domain.shared.models import ConnectionName

_published = Table(
    "published_connections",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("settings", JsonText, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("runs", Boolean, nullable=False),
    Column("published_at", UtcTime, nullable=False),
    Index(
        "uq_published_connections_running_endpoint",
        "endpoint",
        unique=True,
        sqlite_where=text("runs"),
        postgresql_where=text("runs"),
    ),
)


def publish(tx: Connection, settings: ConnectionSettings, *, now: datetime) -> PublishedConnection:
    """Publish settings as the current version; unchanged settings make no new version."""
    running = current(tx, settings.name)
    if running is not None and running.settings == settings:
        return running
    version = 1 if running is None else running.version + 1
    tx.execute(
        update(_published)
        .where(_published.c.connection == settings.name, _published.c.runs)
        .values(runs=False)
    )
    tx.execute(
        insert(_published).values(
            connection=settings.name,
            version=version,
            settings=settings.model_dump(mode="json"),
            endpoint=settings.timerex.endpoint,
            runs=True,
            published_at=now,
        )
    )
    return PublishedConnection(version=version, settings=settings, published_at=now)


def current(tx: Connection, name: ConnectionName) -> PublishedConnection | None:
    """Read the current version of a connection."""
    return _one(tx, _running().where(_published.c.connection == name))


def first_published_at(tx: Connection, name: ConnectionName) -> datetime | None:
    """Return when a connection was first published."""
    return tx.scalar(
        select(func.min(_published.c.published_at)).where(_published.c.connection == name)
    )


def all_published(tx: Connection) -> list[PublishedConnection]:
    """List the current versions of all connections."""
    rows = tx.execute(_running().order_by(_published.c.connection)).mappings()
    return [_version_of(row) for row in rows]


def _running() -> Select[Any]:
    return select(_published).where(_published.c.runs)


def _one(tx: Connection, statement: Select[Any]) -> PublishedConnection | None:
    row = tx.execute(statement).mappings().one_or_none()
    return None if row is None else _version_of(row)


def _version_of(row: RowMapping) -> PublishedConnection:
    return PublishedConnection(
        version=row["version"],
        settings=ConnectionSettings.model_validate(row["settings"]),
        published_at=row["published_at"],
    )
