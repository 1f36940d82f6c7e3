"""Notes and tasks of contacts: their fields, and how two versions are compared.

Neither has a time of change in GHL, so their values are compared.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, NewType, Self
from unicodedata import normalize

from pydantic import AwareDatetime

from timerex_ghl.domain.shared.models import (
    ContactId,
    FieldName,
    GhlContactId,
    Record,
    Values,
)
from timerex_ghl.domain.shared.record_ref import RecordRef

ActivityKind = Literal["note", "task"]
ActivityId = NewType("ActivityId", str)
"""A note or task of the workspace: `n_…` or `t_…`."""

KINDS: tuple[ActivityKind, ...] = ("note", "task")
PREFIX: dict[ActivityKind, str] = {"note": "n_", "task": "t_"}

TEXT, TASK_ID = FieldName("text"), FieldName("task_id")
TITLE, BODY, DUE_AT = FieldName("title"), FieldName("body"), FieldName("due_at")
COMPLETED, ASSIGNEE, STAGE = FieldName("completed"), FieldName("assignee"), FieldName("stage")

TRAVELS: dict[ActivityKind, tuple[FieldName, ...]] = {
    "note": (TEXT,),
    "task": (TITLE, BODY, DUE_AT, COMPLETED, ASSIGNEE),
}
"""The synced fields. A note's task and an open task's stage stay local: GHL has no field."""

WORDS = frozenset({TEXT, BODY, TITLE})
"""Free-text fields: GHL may change their blanks and line ends."""

YES, NO = "true", "false"
_MARKER = re.compile(r"\s*\[([nt]_[0-9a-f]{20})\]\s*$")


class Activity(Record):
    """A note or task of the workspace.

    Attributes:
        values: By field. `due_at`: ISO 8601, UTC, whole milliseconds. `completed`: true or false.
            `assignee`: a user's e-mail, lower-case; None for no assignee.
        version: Rises by one with each change of the row.
        deleted: The row is a tombstone; it keeps its values.
    """

    id: ActivityId
    kind: ActivityKind
    contact_id: ContactId
    values: dict[FieldName, str | None]
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    deleted: bool = False


class ActivityKey(NamedTuple):
    """The kind and id of a note or task of the workspace."""

    kind: ActivityKind
    id: ActivityId

    @classmethod
    def of(cls, ref: RecordRef) -> Self | None:
        """Read it from a reference; None for a record of another kind."""
        return cls(ref.kind, ActivityId(ref.id)) if ref.kind in KINDS else None

    @property
    def ref(self) -> RecordRef:
        """Return its reference in events, intents and reviews."""
        return RecordRef(self.kind, self.id)

    def __str__(self) -> str:
        """Return the text of its reference."""
        return str(self.ref)


def ghl_activity_ref(
    kind: ActivityKind, remote_id: str, contact_id: GhlContactId | None = None
) -> RecordRef:
    """Refer to a note or task of GHL."""
    return RecordRef("ghl-note" if kind == "note" else "ghl-task", remote_id, contact_id)


class Marked(NamedTuple):
    """A text without its marker, and the id in the marker. None: there is none."""

    text: str
    of: ActivityId | None


def with_marker(text: str, activity_id: ActivityId) -> str:
    """End a text with a marker, by which its record is found after a lost answer."""
    return f"{text}\n\n[{activity_id}]" if text else f"[{activity_id}]"


def split_marker(text: str) -> Marked:
    """Split a text from the marker at its very end."""
    found = _MARKER.search(text)
    if found is None:
        return Marked(text, None)
    return Marked(text[: found.start()], ActivityId(found[1]))


def is_same_value(field: FieldName, one: str | None, other: str | None) -> bool:
    """Return whether two values are equal but for spelling. An empty text equals None."""
    return compare_form(field, one) == compare_form(field, other)


def compare_form(field: FieldName, value: str | None) -> str | None:
    """Return the form in which equal values are equal; None stands for empty."""
    if not value:
        return None
    if field in WORDS:
        return " ".join(normalize("NFC", value).split()) or None
    return value.casefold() if field == ASSIGNEE else value


def is_same_activity(kind: ActivityKind, one: Values, other: Values) -> bool:
    """Return whether two are equal in all synced fields."""
    return all(is_same_value(f, text_of(one, f), text_of(other, f)) for f in TRAVELS[kind])


def text_of(values: Values, field: FieldName) -> str | None:
    """Read a field; None where it is empty or absent."""
    value = values.get(field)
    return value if isinstance(value, str) else None


def time_text(at: datetime) -> str:
    """Format a time as a value: UTC, whole milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def due_of(values: Mapping[FieldName, str | None]) -> datetime | None:
    """Return when a task is due."""
    value = values.get(DUE_AT)
    return None if value is None else datetime.fromisoformat(value)
