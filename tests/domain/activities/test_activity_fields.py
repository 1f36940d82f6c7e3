"""Markers, and the comparison of values of notes and tasks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    DUE_AT,
    TEXT,
    ActivityId,
    is_same_value,
    split_marker,
    time_text,
    with_marker,
)
from timerex_ghl.domain.activities.activity_mapping import map_note, map_task
from timerex_ghl.domain.shared.ghl_models import GhlTask, GhlTaskId, GhlUserId
from timerex_ghl.domain.shared.models import FieldName, GhlContactId, GhlNote, GhlNoteId

ID = ActivityId("n_0123456789abcdef0123")
TASK = GhlTask(
    id=GhlTaskId("t1"),
    contact_id=GhlContactId("c1"),
    title="Send",
    body="Prices",
    due_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    completed=False,
    assigned_to=GhlUserId("u1"),
)


def note(text: str) -> GhlNote:
    return GhlNote(id=GhlNoteId("g1"), contact_id=GhlContactId("c1"), text=text)


@given(st.text())
def test_a_text_and_its_marker_are_distinguished_again(text: str) -> None:
    marked = split_marker(with_marker(text.rstrip(), ID))

    assert marked.of == ID
    assert marked.text == text.rstrip()


@given(st.text())
def test_a_text_without_a_marker_stays_as_it_is(text: str) -> None:
    if "[n_" not in text and "[t_" not in text:
        assert split_marker(text) == (text, None)


def test_a_marker_counts_at_the_very_end_only() -> None:
    assert split_marker(f"[{ID}] and more").of is None
    assert split_marker(f"Call back\n[{ID}]  \n") == ("Call back", ID)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        (TEXT, "Call  back\nsoon", "Call back soon"),
        (TEXT, "cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        (BODY, "", None),
        (ASSIGNEE, "Kana@aoba.example", "kana@aoba.example"),
    ],
)
def test_what_says_the_same_is_the_same(
    field: FieldName, one: str | None, other: str | None
) -> None:
    assert is_same_value(field, one, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [(TEXT, "Call back", "Call Back"), (DUE_AT, "2026-03-02T09:00:00.000Z", None)],
)
def test_what_says_something_else_is_not(
    field: FieldName, one: str | None, other: str | None
) -> None:
    assert not is_same_value(field, one, other)


def test_a_time_is_written_in_one_way() -> None:
    at = datetime.fromisoformat("2026-03-02T18:00:00.123456+09:00")

    assert time_text(at) == "2026-03-02T09:00:00.123Z"


def test_a_digest_is_the_same_with_and_without_our_marker() -> None:
    assert map_note(note("Call back")).digest == map_note(note(f"Call  back\n[{ID}]")).digest
    assert map_note(note("Call back")).digest != map_note(note("Call today")).digest


def test_a_digest_reports_whose_it_is_and_who_has_it() -> None:
    moved = TASK.model_copy(update={"contact_id": GhlContactId("c2")})
    given_away = TASK.model_copy(update={"assigned_to": GhlUserId("u2")})

    assert len({map_task(task).digest for task in (TASK, moved, given_away)}) == 3


def test_somebody_who_is_no_user_we_know_is_not_received() -> None:
    known = {GhlUserId("u1"): "kana@aoba.example"}

    assert map_task(TASK, known).values[ASSIGNEE] == "kana@aoba.example"
    assert ASSIGNEE not in map_task(TASK, {}).values
    assert ASSIGNEE not in map_task(TASK, {GhlUserId("u1"): ""}).values
    assert map_task(TASK.model_copy(update={"assigned_to": None}), {}).values[ASSIGNEE] is None
