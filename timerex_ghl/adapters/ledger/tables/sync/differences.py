"""Standing differences: fields in which linked records differ, and that no rule brings in sync."""

from collections import Counter
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, literal, or_, select, tuple_

from timerex_ghl.adapters.ledger.tables.activities.activities import activities
from timerex_ghl.adapters.ledger.tables.contacts.workspace_contacts import contacts
from timerex_ghl.adapters.ledger.tables.sync.links import Link, link_of, links
from timerex_ghl.domain.activities.activity_fields import ASSIGNEE, ActivityId
from timerex_ghl.domain.shared.actions import DifferenceReason
from timerex_ghl.domain.shared.models import ConnectionName

DifferingKind = Literal["contact", "note", "task"]
KINDS: tuple[DifferingKind, ...] = ("contact", "note", "task")


class RecordPlace(NamedTuple):
    """The place of a record in the list: by kind, then by id."""

    kind: str
    local_id: str


def page_of_differences(
    tx: Connection,
    connection: ConnectionName,
    kinds: Collection[DifferingKind] = KINDS,
    after: RecordPlace | None = None,
    limit: int | None = None,
) -> list[Link]:
    """List the links of records that differ, ordered by kind and id."""
    statement = _differing(connection, kinds).order_by(links.c.kind, links.c.local_id)
    if after is not None:
        statement = statement.where(
            tuple_(links.c.kind, links.c.local_id) > tuple_(*map(literal, after))
        )
    if limit is not None:
        statement = statement.limit(limit)
    return [link_of(row) for row in tx.execute(statement).mappings()]


def count_differences(
    tx: Connection, connection: ConnectionName, kinds: Collection[DifferingKind]
) -> Counter[DifferenceReason]:
    """Count the differing fields by their reason."""
    found = page_of_differences(tx, connection, kinds)
    return Counter(reason for link in found for reason in link.differences.values())


def now_assignable(
    tx: Connection, connection: ConnectionName, emails: Collection[str]
) -> list[ActivityId]:
    """List the tasks whose assignee GHL did not know, and knows now."""
    if not emails:
        return []
    statement = (
        select(activities.c.id, activities.c.fields, links.c.differences)
        .join(links, _row_of_link())
        .where(links.c.connection == connection, links.c.kind == "task")
        .where(links.c.differences.is_not(None), ~activities.c.deleted)
    )
    return [
        ActivityId(row.id)
        for row in tx.execute(statement)
        if ASSIGNEE in row.differences and (row.fields.get(ASSIGNEE) or "").casefold() in emails
    ]


def _differing(connection: ConnectionName, kinds: Collection[DifferingKind]) -> Select[Any]:
    return select(links).where(
        links.c.connection == connection,
        links.c.kind.in_(kinds),
        links.c.differences.is_not(None),
        or_(
            exists().where(_person_of_link(), ~contacts.c.deleted),
            exists().where(_row_of_link(), ~activities.c.deleted),
        ),
    )


def _person_of_link() -> ColumnElement[bool]:
    return and_(
        links.c.kind == "contact",
        contacts.c.connection == links.c.connection,
        contacts.c.id == links.c.local_id,
    )


def _row_of_link() -> ColumnElement[bool]:
    return and_(
        activities.c.connection == links.c.connection,
        activities.c.kind == links.c.kind,
        activities.c.id == links.c.local_id,
    )
