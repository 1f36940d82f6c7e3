"""Links: one-to-one pairs of workspace and GHL records, with their base."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    select,
    text,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.db.upsert import upsert
from timerex_ghl.adapters.ledger.tables.contacts.contact_json import contact_of, json_of
from timerex_ghl.domain.shared.actions import DifferenceReason, StandingDifference
from timerex_ghl.domain.shared.models import ConnectionName, Contact, FieldName, Record

LinkKind = Literal["contact", "booking-note", "note", "task", "appointment"]

links = Table(
    "links",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("local_id", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
    Column("local_version", Integer),
    Column("written_at", UtcTime),
    Column("base", JsonText),
    Column("digest", Text),
    Column("checked_at", UtcTime),
    Column("differences", JsonText),
    Column("differences_version", Integer),
    UniqueConstraint("connection", "kind", "remote_id"),
    Index(None, "connection", "kind", "checked_at"),
    Index(
        "ix_links_differing",
        "connection",
        "kind",
        "local_id",
        sqlite_where=text("differences IS NOT NULL"),
        postgresql_where=text("differences IS NOT NULL"),
    ),
)


class Link(Record):
    """A link of one workspace record and one GHL record.

    Attributes:
        local_version: The workspace row's version when they were last in sync.
        written_at: When we last wrote to GHL's record.
        base: The values both sides last agreed on; None before the first time.
        digest: Digest of GHL's record when last in sync; of an appointment, what GHL's list
            showed when a sweep last found a difference.
        checked_at: When a sweep last found GHL's record; for a contact, when its notes were last
            read; for an appointment, when it was read because of that difference.
        differences: Fields in which both differ for good, and why.
        differences_version: The published version whose rules leave those differences.
    """

    connection: ConnectionName
    kind: LinkKind
    local_id: str
    remote_id: str
    local_version: int | None = None
    written_at: AwareDatetime | None = None
    base: Contact | None = None
    digest: str | None = None
    checked_at: AwareDatetime | None = None
    differences: dict[FieldName, DifferenceReason] = Field(
        default_factory=dict[FieldName, DifferenceReason]
    )
    differences_version: int | None = None

    def with_differences(self, found: Iterable[StandingDifference], version: int) -> Self:
        """Return the link with the differences that the rules of a published version leave."""
        differences = {one.field: one.reason for one in found}
        kept = {"differences": differences, "differences_version": version if differences else None}
        return self.model_copy(update=kept)


_HERE = select(links).where(
    links.c.connection == bindparam("of"), links.c.kind == bindparam("link_kind")
)
_BY_LOCALS = _HERE.where(links.c.local_id.in_(bindparam("ids", expanding=True)))
_BY_REMOTES = _HERE.where(links.c.remote_id.in_(bindparam("ids", expanding=True)))
_CHECKED = (
    update(links)
    .where(
        links.c.connection == bindparam("of"),
        links.c.kind == bindparam("link_kind"),
        links.c.remote_id.in_(bindparam("ids", expanding=True)),
    )
    .values(checked_at=bindparam("now"))
)


def link_of_local(
    tx: Connection, connection: ConnectionName, kind: LinkKind, local_id: str
) -> Link | None:
    """Find the link of a workspace record."""
    return links_of_locals(tx, connection, kind, [local_id]).get(local_id)


def link_of_remote(
    tx: Connection, connection: ConnectionName, kind: LinkKind, remote_id: str
) -> Link | None:
    """Find the link of a GHL record."""
    return links_of_remotes(tx, connection, kind, [remote_id]).get(remote_id)


def links_of_locals(
    tx: Connection, connection: ConnectionName, kind: LinkKind, local_ids: Collection[str]
) -> dict[str, Link]:
    """Find the links of workspace records, by local id."""
    rows = tx.execute(_BY_LOCALS, {"of": connection, "link_kind": kind, "ids": [*local_ids]})
    return {row["local_id"]: link_of(row) for row in rows.mappings()}


def links_of_remotes(
    tx: Connection, connection: ConnectionName, kind: LinkKind, remote_ids: Collection[str]
) -> dict[str, Link]:
    """Find the links of GHL records, by remote id."""
    rows = tx.execute(_BY_REMOTES, {"of": connection, "link_kind": kind, "ids": [*remote_ids]})
    return {row["remote_id"]: link_of(row) for row in rows.mappings()}


def save_links(tx: Connection, several: Sequence[Link]) -> None:
    """Insert or update links, all or none. An update keeps `checked_at`.

    The database refuses a second link of a record.
    """
    rows = [
        {
            **{name: getattr(link, name) for name in Link.model_fields},
            "base": None if link.base is None else json_of(link.base),
            "differences": link.differences or None,
        }
        for link in several
    ]
    upsert(tx, links, rows, keys=["connection", "kind", "local_id"], instead=_kept)


def mark_checked(
    tx: Connection,
    connection: ConnectionName,
    kind: LinkKind,
    remote_ids: Collection[str],
    now: datetime,
) -> None:
    """Record that a sweep found these GHL records."""
    if remote_ids:
        tx.execute(
            _CHECKED, {"of": connection, "link_kind": kind, "ids": [*remote_ids], "now": now}
        )


def move_link(
    tx: Connection, connection: ConnectionName, kind: LinkKind, old_local_id: str, new_local_id: str
) -> None:
    """Move a link from one workspace record to another."""
    tx.execute(
        update(links).where(_is(connection, kind, old_local_id)).values(local_id=new_local_id)
    )


def drop_link(tx: Connection, connection: ConnectionName, kind: LinkKind, local_id: str) -> None:
    """Delete a link."""
    tx.execute(delete(links).where(_is(connection, kind, local_id)))


def _is(connection: ConnectionName, kind: LinkKind, local_id: str) -> ColumnElement[bool]:
    return and_(
        links.c.connection == connection, links.c.kind == kind, links.c.local_id == local_id
    )


def _kept(_new: object) -> dict[str, ColumnElement[datetime]]:
    return {"checked_at": links.c.checked_at}


def link_of(row: RowMapping) -> Link:
    """Parse a row of the table."""
    values = {name: row[name] for name in Link.model_fields}
    differences: object = row["differences"]
    return Link.model_validate(
        {**values, "base": contact_of(row["base"]), "differences": differences or {}}
    )


def is_ruled_otherwise(version: int | None) -> ColumnElement[bool]:
    """Return the SQL condition that a link's differences are not those of a published version."""
    return and_(links.c.differences.is_not(None), links.c.differences_version != version)
