"""When the fields of a contact were last changed on each side.

The workspace knows the time of each edit. GHL has one time for the whole contact, so a field's time
lies between two reads: one that showed another value, and the first that showed this one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import (
    Contact,
    FieldName,
    FieldRule,
    GhlField,
    GhlValues,
    Value,
)
from timerex_ghl.domain.shared.newest import ChangeTime, Evidence, newer_side

UNCHANGED = ChangeTime()


class GhlReading(NamedTuple):
    """A GHL contact as it was read once, and when its fields had been changed, as far as known."""

    values: GhlValues
    read_at: datetime
    changed: Mapping[GhlField, ChangeTime]


class ContactTimes(NamedTuple):
    """When the fields of a contact were changed. A field without a time is not known.

    Attributes:
        created_at: When the contact was created in GHL: no field was changed there before.
    """

    workspace: Mapping[FieldName, datetime]
    ghl: Mapping[GhlField, ChangeTime]
    created_at: datetime | None = None


def note_changes(
    before: GhlReading | None, values: GhlValues, read_at: datetime
) -> dict[GhlField, ChangeTime]:
    """Return when the fields of a contact were changed, from two reads of it.

    A value that only one read has, or that differs in spelling alone (some lists of GHL are
    lower-case), may have been changed or not: that widens the time.

    Args:
        before: The earlier read; None for the first one, from which nothing is known.
        values: The later read.
        read_at: When that was.
    """
    if before is None:
        return {}
    times = dict(before.changed)
    for field in {*before.values, *values}:
        then, now = before.values.get(field), values.get(field)
        if field in before.values and field in values and then == now:
            continue
        is_other = field in before.values and field in values and _bare(then) != _bare(now)
        after = before.read_at if is_other else times.get(field, UNCHANGED).after
        times[field] = ChangeTime(after, read_at)
    return times


def newer_by_field(
    times: ContactTimes,
    workspace: Contact,
    ghl: Contact,
    rules: Iterable[FieldRule],
    tolerance: timedelta,
) -> dict[FieldName, Side]:
    """Return the side that changed last, for the fields where the times prove it."""
    found: dict[FieldName, Side] = {}
    for rule in rules:
        edited_at = times.workspace.get(rule.field)
        local = ChangeTime(edited_at, edited_at or workspace.updated_at)
        known = times.ghl.get(rule.ghl, UNCHANGED)
        remote = ChangeTime(
            max(_given(known.after, times.created_at), default=None),
            min(_given(known.before, ghl.updated_at), default=None),
        )
        if side := newer_side(Evidence(local, remote), tolerance):
            found[rule.field] = side
    return found


def _given(*times: datetime | None) -> list[datetime]:
    return [at for at in times if at is not None]


def _bare(value: Value) -> str:
    text = " ".join(value) if isinstance(value, tuple) else value or ""
    return " ".join(text.split()).casefold()
