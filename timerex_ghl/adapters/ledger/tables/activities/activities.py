"""The workspace's notes and tasks. TimeRex itself has none."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import JsonText, UtcTime, metadata
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import (
    StaleVersionError,
    contacts,
)
from timerex_ghl.adapters.ledger.tables.operations.review_lookups import is_set_aside
from timerex_ghl.adapters.ledger.tables.sync.links import is_ruled_otherwise, links
from timerex_ghl.domain.activities.activity_fields import (
    COMPLETED,
    PREFIX,
    TASK_ID,
    YES,
    Activity,
    ActivityId,
    ActivityKey,
    ActivityKind,
)
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName

activities = Table(
    "activities",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("contact_id", Text, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("task_id", Text),  # the task that a note belongs to
    Column("completed", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index(None, "connection", "contact_id"),
    Index(None, "connection", "task_id"),
)

_HERE = select(activities).where(
    activities.c.connection == bindparam("of"), activities.c.kind == bindparam("its_kind")
)
_BY_IDS = _HERE.where(activities.c.id.in_(bindparam("ids", expanding=True)))
_ADD = insert(activities)


class WantedActivities(NamedTuple):
    """Filters of a list of notes or tasks; None: no filter."""

    contact_id: ContactId | None = None
    task_id: ActivityId | None = None
    completed: bool | None = None
    updated_since: datetime | None = None


def new_activity(
    kind: ActivityKind,
    contact_id: ContactId,
    values: Mapping[FieldName, str | None],
    now: datetime,
    *,
    created_at: datetime | None = None,
) -> Activity:
    """Make a note or task with a new id, at version 1."""
    return Activity(
        id=ActivityId(f"{PREFIX[kind]}{secrets.token_hex(10)}"),
        kind=kind,
        contact_id=contact_id,
        values={**values},
        version=1,
        created_at=created_at or now,
        updated_at=now,
    )


def add_activities(tx: Connection, connection: ConnectionName, rows: Collection[Activity]) -> None:
    """Add notes or tasks made by `new_activity`."""
    if rows:
        tx.execute(_ADD, [_columns(connection, row) for row in rows])


def save_activity(
    tx: Connection, connection: ConnectionName, row: Activity, now: datetime, *, deleted: bool
) -> Activity:
    """Store the next version of a row.

    Raises:
        StaleVersionError: The row changed since it was read.
    """
    after = row.model_copy(
        update={"version": row.version + 1, "updated_at": now, "deleted": deleted}
    )
    changed = tx.execute(
        update(activities)
        .where(_is(connection, row.kind, row.id), activities.c.version == row.version)
        .values(**_columns(connection, after))
    )
    if not changed.rowcount:
        raise StaleVersionError(f"{row.kind} {row.id} changed since it was read")
    return after


def get_activity(tx: Connection, connection: ConnectionName, key: ActivityKey) -> Activity | None:
    """Read a note or task, or its tombstone."""
    return get_activities(tx, connection, key.kind, [key.id]).get(key.id)


def get_activities(
    tx: Connection, connection: ConnectionName, kind: ActivityKind, ids: Collection[ActivityId]
) -> dict[ActivityId, Activity]:
    """Read some notes or tasks, or their tombstones, by id."""
    rows = tx.execute(_BY_IDS, {"of": connection, "its_kind": kind, "ids": [*ids]})
    return {ActivityId(row["id"]): _activity_of(row) for row in rows.mappings()}


def list_activities(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    wanted: WantedActivities,
    after: ActivityId | None = None,
    limit: int = 500,
) -> list[Activity]:
    """List a page of notes or tasks by id, without deleted ones and those of deleted contacts."""
    columns = activities.c
    conditions = [
        columns.connection == connection,
        columns.kind == kind,
        ~columns.deleted,
        _has_person(),
    ]
    if after is not None:
        conditions.append(columns.id > after)
    if wanted.contact_id is not None:
        conditions.append(columns.contact_id == wanted.contact_id)
    if wanted.task_id is not None:
        conditions.append(columns.task_id == wanted.task_id)
    if wanted.completed is not None:
        conditions.append(columns.completed == wanted.completed)
    if wanted.updated_since is not None:
        conditions.append(columns.updated_at >= wanted.updated_since)
    ordered = select(activities).where(*conditions).order_by(columns.id).limit(limit)
    return [_activity_of(row) for row in tx.execute(ordered).mappings()]


def changed_activities(
    tx: Connection,
    connection: ConnectionName,
    kind: ActivityKind,
    since: datetime | None = None,
    published_version: int | None = None,
) -> list[ActivityId]:
    """List notes or tasks that changed in the workspace since they were in sync, or are not linked.

    So are those whose differences other rules left than those of the published version. Left out:
    deleted ones that never reached GHL, those with a review for their current version,
    and those of deleted contacts.
    """
    columns = activities.c
    statement = (
        select(columns.id)
        .outerjoin(links, _link_of_row())
        .where(columns.connection == connection, columns.kind == kind, _has_person())
        .where(
            or_(
                and_(links.c.local_id.is_(None), ~columns.deleted),
                and_(
                    links.c.local_id.is_not(None),
                    or_(
                        links.c.local_version.is_(None),
                        links.c.local_version != columns.version,
                        is_ruled_otherwise(published_version),
                    ),
                ),
            ),
            ~is_set_aside(kind, columns.connection, columns.id, columns.version),
        )
        .order_by(columns.created_at, columns.id)
    )
    if since is not None:
        statement = statement.where(columns.updated_at >= since)
    return [ActivityId(found) for found in tx.scalars(statement)]


def _link_of_row() -> ColumnElement[bool]:
    return and_(
        links.c.connection == activities.c.connection,
        links.c.kind == activities.c.kind,
        links.c.local_id == activities.c.id,
    )


def move_activities(
    tx: Connection, connection: ConnectionName, old: ContactId, new: ContactId
) -> int:
    """Move all notes and tasks of one contact to another; return their number."""
    moved = tx.execute(
        update(activities)
        .where(activities.c.connection == connection, activities.c.contact_id == old)
        .values(contact_id=new)
    )
    return moved.rowcount


def _has_person() -> ColumnElement[bool]:
    return exists().where(
        contacts.c.connection == activities.c.connection,
        contacts.c.id == activities.c.contact_id,
        ~contacts.c.deleted,
    )


def _is(connection: ConnectionName, kind: ActivityKind, id_: ActivityId) -> ColumnElement[bool]:
    return and_(
        activities.c.connection == connection,
        activities.c.kind == kind,
        activities.c.id == id_,
    )


def _columns(connection: ConnectionName, row: Activity) -> dict[str, Any]:
    return {
        "connection": connection,
        **row.model_dump(exclude={"values"}),
        "fields": dict(row.values),
        "task_id": row.values.get(TASK_ID),
        "completed": row.values.get(COMPLETED) == YES,
    }


def _activity_of(row: RowMapping) -> Activity:
    values = cast("Mapping[str, str | None]", row["fields"])
    return Activity.model_validate(
        {name: row[name] for name in Activity.model_fields if name != "values"}
        | {"values": {FieldName(name): value for name, value in values.items()}}
    )
