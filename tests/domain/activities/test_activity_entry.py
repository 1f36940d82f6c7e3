"""What people may enter about a note or a task."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from timerex_ghl.domain.activities.activity_entry import (
    Kept,
    NoteEntry,
    TaskEntry,
    changed_fields,
    enter_activity,
    status_of,
)
from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    DUE_AT,
    STAGE,
    TASK_ID,
    TEXT,
    TITLE,
    ActivityId,
    with_marker,
)
from timerex_ghl.domain.contacts.contact_entry import EntryError

DUE = "2026-02-10T10:00:00+09:00"
OPEN: Kept = {
    TITLE: "Call back", BODY: "about tea", DUE_AT: "2026-02-10T01:00:00.000Z",
    COMPLETED: "false", ASSIGNEE: "kana@aoba.example",
}  # fmt: skip
IN_PROGRESS: Kept = {**OPEN, STAGE: "in-progress"}
DONE: Kept = {**OPEN, COMPLETED: "true"}
NOTE: Kept = {TEXT: "Likes tea", TASK_ID: "t_1"}
MARK = "[n_0123456789abcdef0123]"


def note(before: Kept | None = None, **named: Any) -> Kept:
    return enter_activity(before or {}, NoteEntry.model_validate(named))


def task(before: Kept | None = None, **named: Any) -> Kept:
    return enter_activity(before or {}, TaskEntry.model_validate(named))


def test_a_new_note_needs_its_text_alone() -> None:
    assert note(text=" Likes tea\n") == {"text": "Likes tea", "task_id": None}


def test_a_new_task_needs_a_title_and_when_it_is_due() -> None:
    assert task(title="Call back", due_at=DUE) == {
        "title": "Call back", "body": "", "due_at": "2026-02-10T01:00:00.000Z",
        "completed": "false", "assignee": None,
    }  # fmt: skip


def test_only_what_is_named_changes() -> None:
    assert note(NOTE, text="Likes coffee") == {**NOTE, "text": "Likes coffee"}
    assert note(NOTE, task_id=None) == {**NOTE, "task_id": None}
    assert task(IN_PROGRESS, title="Write") == {**IN_PROGRESS, "title": "Write"}


def test_null_empties_what_may_be_empty() -> None:
    assert task(OPEN, body=None, assignee=None) == {**OPEN, "body": "", "assignee": None}
    assert task(OPEN, assignee=" ") == {**OPEN, "assignee": None}


def test_an_assignee_is_kept_as_e_mails_are_compared() -> None:
    assert task(OPEN, assignee=" Kana@AOBA.example ")[ASSIGNEE] == "kana@aoba.example"


def test_due_is_kept_in_utc_to_the_millisecond() -> None:
    at = datetime(2026, 2, 10, 1, 0, 0, 123_456, tzinfo=UTC)

    assert task(OPEN, due_at=at)[DUE_AT] == "2026-02-10T01:00:00.123Z"


@pytest.mark.parametrize(
    ("before", "named", "after"),
    [
        (OPEN, {"completed": True}, DONE),
        (OPEN, {"status": "completed"}, DONE),
        (OPEN, {"status": "in-progress"}, IN_PROGRESS),
        (OPEN, {"status": "in-progress", "completed": False}, IN_PROGRESS),
        (OPEN, {"completed": False}, OPEN),
        (IN_PROGRESS, {"completed": False}, IN_PROGRESS),
        (IN_PROGRESS, {"status": "open"}, OPEN),
        (IN_PROGRESS, {"completed": True}, DONE),
        (DONE, {"completed": False}, OPEN),
        (DONE, {"status": "open"}, OPEN),
        (DONE, {"status": "in-progress"}, IN_PROGRESS),
        (DONE, {"completed": True, "status": "completed"}, DONE),
        ({**DONE, STAGE: "in-progress"}, {"completed": False}, OPEN),
        ({**DONE, STAGE: "in-progress"}, {"completed": True}, {**DONE, STAGE: "in-progress"}),
    ],
)
def test_how_far_a_task_is(before: Kept, named: dict[str, Any], after: Kept) -> None:
    assert task(before, **named) == after


@pytest.mark.parametrize(
    ("entry", "before", "fault"),
    [
        (NoteEntry(), {}, "text: is missing"),
        (NoteEntry(text=" \n"), {}, "text: cannot be empty"),
        (NoteEntry(text=None), NOTE, "text: cannot be empty"),
        (NoteEntry(text=f"Call\n{MARK} "), NOTE, "text: ends like a record marker"),
        (TaskEntry(title="Call"), {}, "due_at: is missing"),
        (TaskEntry(), {}, "title: is missing; due_at: is missing"),
        (TaskEntry(title="　"), OPEN, "title: cannot be empty"),
        (TaskEntry(due_at=None), OPEN, "due_at: cannot be empty"),
        (TaskEntry(completed=None), OPEN, "completed: cannot be empty"),
        (TaskEntry(status=None), OPEN, "status: cannot be empty"),
        (TaskEntry(completed=True, status="open"), OPEN, "status: contradicts completed"),
        (TaskEntry(completed=False, status="completed"), OPEN, "status: contradicts completed"),
        (TaskEntry(assignee="kana"), OPEN, "assignee: is not an e-mail address"),
        (TaskEntry(body=MARK), OPEN, "body: ends like a record marker"),
    ],
)
def test_what_cannot_be_taken_is_a_fault(
    entry: NoteEntry | TaskEntry, before: Kept, fault: str
) -> None:
    with pytest.raises(EntryError) as refused:
        enter_activity(before, entry)

    assert str(refused.value).startswith(fault)
    assert "kana" not in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "field", "value"),
    [
        (NoteEntry, "text", "x" * 10_001),
        (NoteEntry, "text", "a\0b"),
        (NoteEntry, "task_id", "t 1"),
        (NoteEntry, "contact_id", "c_1"),
        (TaskEntry, "title", "two\nlines"),
        (TaskEntry, "title", "two\u2028lines"),
        (TaskEntry, "title", "x" * 1_001),
        (TaskEntry, "body", "x" * 10_001),
        (TaskEntry, "due_at", "2026-02-10T10:00:00"),
        (TaskEntry, "due_at", 1_770_000_000),
        (TaskEntry, "completed", "yes"),
        (TaskEntry, "completed", 1),
        (TaskEntry, "status", "done"),
        (TaskEntry, "stage", "in-progress"),
    ],
)
def test_what_cannot_be_read_is_refused(
    entry: type[NoteEntry | TaskEntry], field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as refused:
        entry.model_validate({field: value})

    assert refused.value.errors()[0]["loc"] == (field,)


def test_empty_none_and_absent_are_no_difference() -> None:
    assert changed_fields({BODY: "", TITLE: "a"}, {BODY: None, ASSIGNEE: None}) == {TITLE}


TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=20)
ENTRIES = st.fixed_dictionaries(
    dict[str, st.SearchStrategy[Any]](),
    optional={
        "title": TEXTS.filter(str.strip),
        "body": st.none() | TEXTS,
        "completed": st.booleans(),
        "assignee": st.sampled_from([None, "", "Kana@aoba.example", "ｋ@aoba.example"]),
    },
).map(TaskEntry.model_validate)


@given(st.sampled_from([OPEN, IN_PROGRESS, DONE]), ENTRIES)
def test_the_same_entry_again_changes_nothing(before: Kept, entry: TaskEntry) -> None:
    once = enter_activity(before, entry)

    assert enter_activity(once, entry) == once
    assert (once.get(STAGE) == "in-progress") == (status_of(once) == "in-progress")


@given(TEXTS, st.sampled_from(["n", "t"]), st.sampled_from(["", " ", "\n", "\t\n "]))
def test_no_text_that_ends_like_a_mark_is_taken(text: str, prefix: str, end: str) -> None:
    marked = with_marker(text, ActivityId(f"{prefix}_{'0' * 20}")) + end

    with pytest.raises(EntryError):
        note(text=marked)
