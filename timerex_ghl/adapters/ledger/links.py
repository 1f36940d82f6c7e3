"""Links: the one-to-one pairs of our records and GHL's, with what both sides last agreed on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime
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
    update,
)

from timerex_ghl.adapters.ledger.contact_json import contact_of, json_of
from timerex_ghl.adapters.ledger.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.upsert import upsert
from timerex_ghl.domain.models import ConnectionName, Contact, Record

LinkKind = Literal["contact", "booking-note", "note", "task", "appointment"]

links = Table(
    "links",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("local_id", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
    Column("local_version", Integer),
    Column("remote_updated_at", UtcTime),
    Column("written_at", UtcTime),
    Column("base", JsonText),
    Column("digest", Text),
    Column("checked_at", UtcTime),
    UniqueConstraint("connection", "kind", "remote_id"),
    Index(None, "connection", "kind", "checked_at"),
)


class Link(Record):
    """One pair.

    Attributes:
        local_version: The workspace row's version when both sides were level.
        remote_updated_at: GHL's own time of the contact when both sides were level.
        written_at: When we last wrote to GHL's record.
        base: What both sides last agreed on; None before they ever did.
        digest: Of GHL's record when both sides were level; of an appointment, what GHL's list
            showed when a sweep last found that to be otherwise.
        checked_at: When a sweep last found GHL's record; of a contact, when its notes were last
            read; of an appointment, when it was read because of that list.
    """

    connection: ConnectionName
    kind: LinkKind
    local_id: str
    remote_id: str
    local_version: int | None = None
    remote_updated_at: AwareDatetime | None = None
    written_at: AwareDatetime | None = None
    base: Contact | None = None
    digest: str | None = None
    checked_at: AwareDatetime | None = None


_HERE = select(links).where(
    links.c.connection == bindparam("of"), links.c.kind == bindparam("link_kind")
)
_BY_LOCALS = _HERE.where(links.c.local_id.in_(bindparam("ids", expanding=True)))
_BY_REMOTES = _HERE.where(links.c.remote_id.in_(bindparam("ids", expanding=True)))
_NOTE_WRITE = (
    update(links)
    .where(
        links.c.connection == bindparam("of"),
        links.c.kind == bindparam("link_kind"),
        links.c.local_id == bindparam("local"),
    )
    .values(written_at=bindparam("now"))
)
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
    """Find the link of one of our records."""
    return links_of_locals(tx, connection, kind, [local_id]).get(local_id)


def link_of_remote(
    tx: Connection, connection: ConnectionName, kind: LinkKind, remote_id: str
) -> Link | None:
    """Find the link of one of GHL's records."""
    return links_of_remotes(tx, connection, kind, [remote_id]).get(remote_id)


def links_of_locals(
    tx: Connection, connection: ConnectionName, kind: LinkKind, local_ids: Collection[str]
) -> dict[str, Link]:
    """Find the links of some of our records, by our ids."""
    rows = tx.execute(_BY_LOCALS, {"of": connection, "link_kind": kind, "ids": [*local_ids]})
    return {row["local_id"]: link_of(row) for row in rows.mappings()}


def links_of_remotes(
    tx: Connection, connection: ConnectionName, kind: LinkKind, remote_ids: Collection[str]
) -> dict[str, Link]:
    """Find the links of some of GHL's records, by their ids."""
    rows = tx.execute(_BY_REMOTES, {"of": connection, "link_kind": kind, "ids": [*remote_ids]})
    return {row["remote_id"]: link_of(row) for row in rows.mappings()}


def save_link(tx: Connection, link: Link) -> None:
    """Write a link, new or changed. One that would give a record two partners is refused."""
    save_links(tx, [link])


def save_links(tx: Connection, several: Sequence[Link]) -> None:
    """Write links, new or changed; all of them, or none. When GHL's were seen stays as it was."""
    rows = [
        {
            **{name: getattr(link, name) for name in Link.model_fields},
            "base": None if link.base is None else json_of(link.base),
        }
        for link in several
    ]
    upsert(tx, links, rows, keys=["connection", "kind", "local_id"], instead=_kept)


def note_write(
    tx: Connection, connection: ConnectionName, kind: LinkKind, local_id: str, now: datetime
) -> bool:
    """Note that we wrote to GHL's record just now; False where there is no link yet."""
    values = {"of": connection, "link_kind": kind, "local": local_id, "now": now}
    changed = tx.execute(_NOTE_WRITE, values)
    return changed.rowcount > 0


def mark_checked(
    tx: Connection,
    connection: ConnectionName,
    kind: LinkKind,
    remote_ids: Collection[str],
    now: datetime,
) -> None:
    """Note that these records of GHL were seen just now."""
    if remote_ids:
        tx.execute(
            _CHECKED, {"of": connection, "link_kind": kind, "ids": [*remote_ids], "now": now}
        )


def move_link(
    tx: Connection, connection: ConnectionName, kind: LinkKind, old_local_id: str, new_local_id: str
) -> None:
    """Hand GHL's record over from one of our records to another."""
    tx.execute(
        update(links).where(_is(connection, kind, old_local_id)).values(local_id=new_local_id)
    )


def drop_link(tx: Connection, connection: ConnectionName, kind: LinkKind, local_id: str) -> None:
    """Part a pair."""
    tx.execute(delete(links).where(_is(connection, kind, local_id)))


def _is(connection: ConnectionName, kind: LinkKind, local_id: str) -> ColumnElement[bool]:
    return and_(
        links.c.connection == connection, links.c.kind == kind, links.c.local_id == local_id
    )


def _kept(_new: object) -> dict[str, ColumnElement[datetime]]:
    return {"checked_at": links.c.checked_at}


def link_of(row: RowMapping) -> Link:
    """Read a row of the table."""
    values = {name: row[name] for name in Link.model_fields}
    return Link.model_validate({**values, "base": contact_of(row["base"])})
