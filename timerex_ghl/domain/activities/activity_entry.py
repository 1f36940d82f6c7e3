"""What people enter about a note or a task, and its validation."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    DUE_AT,
    NO,
    STAGE,
    TASK_ID,
    TEXT,
    TITLE,
    YES,
    ActivityId,
    ActivityKind,
    split_marker,
    time_text,
)
from timerex_ghl.domain.bookings.booking_entry import Line, Text, When
from timerex_ghl.domain.contacts.contact_entry import EntryError, FieldFault
from timerex_ghl.domain.shared.models import FieldName, Record
from timerex_ghl.domain.shared.normal import clean_value, email_key

Status = Literal["open", "in-progress", "completed"]
Kept = Mapping[FieldName, str | None]

_NEW_NOTE: Kept = {TASK_ID: None}
_NEW_TASK: Kept = {BODY: "", COMPLETED: NO, ASSIGNEE: None}


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("must be one line")
    return text


OneLine = Annotated[Line, AfterValidator(_one_line)]
TaskId = Annotated[ActivityId, Field(pattern=r"^[!-~]{1,128}$")]


class NoteEntry(Record):
    """What can be entered for a note. Fields that are not named stay as they are.

    Attributes:
        task_id: The task it belongs to; null for none. Not synced: the CRM has no field for it.
    """

    text: Text | None = None
    task_id: TaskId | None = None


class TaskEntry(Record):
    """What can be entered for a task. Fields that are not named stay as they are.

    Attributes:
        completed: True is the same as the status `completed`; false reopens a completed task.
        status: `in-progress` is not synced: in the CRM such a task is open.
        assignee: E-mail of the CRM's user; null for no assignee.
    """

    title: OneLine | None = None
    body: Text | None = None
    due_at: When | None = None
    completed: StrictBool | None = None
    status: Status | None = None
    assignee: OneLine | None = None


ActivityEntry = NoteEntry | TaskEntry


def kind_of(entry: ActivityEntry) -> ActivityKind:
    """Return the kind of record that an entry is for."""
    return "note" if isinstance(entry, NoteEntry) else "task"


def enter_activity(before: Kept, entry: ActivityEntry) -> dict[FieldName, str | None]:
    """Return the values after an entry is applied.

    Args:
        before: The current values; empty for a new note or task.
        entry: Only the fields it names change.

    Raises:
        EntryError: A required field is missing or emptied, or a value is invalid.
    """
    if isinstance(entry, NoteEntry):
        return _enter_note(before, entry)
    return _enter_task(before, entry)


def status_of(values: Kept) -> Status:
    """Return the status of a task."""
    if values.get(COMPLETED) == YES:
        return "completed"
    return "in-progress" if values.get(STAGE) == "in-progress" else "open"


def changed_fields(before: Kept, after: Kept) -> set[FieldName]:
    """List the fields that differ. Empty, None and absent are the same."""
    return {
        field
        for field in {*before, *after}
        if (before.get(field) or None) != (after.get(field) or None)
    }


def _enter_note(before: Kept, entry: NoteEntry) -> dict[FieldName, str | None]:
    text = _cleaned(entry.text)
    _refuse(
        *_faults_of_needed(before, entry, {TEXT: text}),
        *_faults_of_end("text", text),
    )
    named = {TEXT: text, TASK_ID: entry.task_id}
    return {**(before or _NEW_NOTE), **_only_named(named, entry)}


def _enter_task(before: Kept, entry: TaskEntry) -> dict[FieldName, str | None]:
    title, body, assignee = map(_cleaned, (entry.title, entry.body, entry.assignee))
    due_at = None if entry.due_at is None else time_text(entry.due_at)
    _refuse(
        *_faults_of_needed(before, entry, {TITLE: title, DUE_AT: due_at}),
        *_faults_of_end("body", body),
        *_faults_of_status(entry),
        *_faults_of_assignee(assignee),
    )
    named = {TITLE: title, BODY: body or "", DUE_AT: due_at, ASSIGNEE: email_key(assignee)}
    entered = {**(before or _NEW_TASK), **_only_named(named, entry)}
    status = _status_after(status_of(before), entry)
    if status != status_of(before):
        entered[COMPLETED] = YES if status == "completed" else NO
        entered.pop(STAGE, None)
    if status == "in-progress":
        entered[STAGE] = status
    return entered


def _status_after(before: Status, entry: TaskEntry) -> Status:
    if entry.status is not None:
        return entry.status
    match entry.completed, before:
        case True, _:
            return "completed"
        case False, "completed":
            return "open"
        case _:
            return before


def _faults_of_needed(before: Kept, entry: ActivityEntry, needed: Kept) -> Iterator[FieldFault]:
    for field, value in needed.items():
        if value is None and field in entry.model_fields_set:
            yield FieldFault(field, "cannot be empty")
        elif value is None and not before:
            yield FieldFault(field, "is missing")


def _faults_of_end(field: str, text: str | None) -> Iterator[FieldFault]:
    """Refuse a last line that would be taken for the marker of a record."""
    marker = split_marker(text or "").of
    if marker is not None:
        yield FieldFault(
            field, "ends like a record marker, [n_...] or [t_...]: write something after it"
        )


def _faults_of_status(entry: TaskEntry) -> Iterator[FieldFault]:
    for field in ("completed", "status"):
        if field in entry.model_fields_set and getattr(entry, field) is None:
            yield FieldFault(field, "cannot be empty")
    said = (entry.completed, None if entry.status is None else entry.status == "completed")
    if {*said} == {True, False}:
        yield FieldFault("status", "contradicts completed: send one of them")


def _faults_of_assignee(assignee: str | None) -> Iterator[FieldFault]:
    if assignee is not None and email_key(assignee) is None:
        yield FieldFault("assignee", "is not an e-mail address: write name@example.com")


def _refuse(*faults: FieldFault) -> None:
    if faults:
        raise EntryError(faults)


def _only_named(values: Kept, entry: ActivityEntry) -> dict[FieldName, str | None]:
    return {field: value for field, value in values.items() if field in entry.model_fields_set}


def _cleaned(text: str | None) -> str | None:
    cleaned = clean_value(text)
    return cleaned if isinstance(cleaned, str) else None
