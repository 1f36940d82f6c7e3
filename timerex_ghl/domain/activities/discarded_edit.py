"""Edits of notes and tasks that a delete in the other system discarded."""

from datetime import datetime

from pydantic import AwareDatetime

from timerex_ghl.domain.activities.activity_fields import (
    TRAVELS,
    Activity,
    ActivityId,
    ActivityKind,
    is_same_value,
    text_of,
)
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import ContactId, FieldName, Record, Values


class DiscardedEdit(Record):
    """What was edited in one system and deleted in the other before the edit was synced.

    Attributes:
        id: Of the note or task in the workspace.
        deleted_in: The system with the delete; the edit was made in the other one.
        values: The edited fields, as they were when the delete was applied.
        before: The same fields as both systems last agreed on them.
        discarded_at: When the delete was applied.
    """

    kind: ActivityKind
    id: ActivityId
    contact_id: ContactId
    deleted_in: Side
    values: dict[FieldName, str | None]
    before: dict[FieldName, str | None]
    discarded_at: AwareDatetime


def discarded_edit(
    row: Activity, edited: Values, base: Values, deleted_in: Side, now: datetime
) -> DiscardedEdit | None:
    """Return what a delete discards: the fields that differ from what both systems agreed on.

    Args:
        row: The note or task in the workspace.
        edited: The values in the system where it was not deleted.
        base: What both last agreed on.
        deleted_in: The system where it was deleted.
        now: The current time.
    """
    values = {
        field: text_of(edited, field)
        for field in TRAVELS[row.kind]
        if field in base and not is_same_value(field, text_of(edited, field), text_of(base, field))
    }
    if not values:
        return None
    return DiscardedEdit(
        kind=row.kind,
        id=row.id,
        contact_id=row.contact_id,
        deleted_in=deleted_in,
        values=values,
        before={field: text_of(base, field) for field in values},
        discarded_at=now,
    )
