from datetime import timedelta

import pytest

from tests import make
from timerex_ghl.domain.bookings.booking_notes import NotePlan, NoteState, plan_notes
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.bookings.note_text import render_note
from timerex_ghl.domain.shared.actions import CreateNote, DeleteNote, UpdateNote
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingState,
    GhlContactId,
    GhlNoteId,
)

X, M = BookingState.CANCELLED, BookingState.MOVED
RIKU, OTHER = GhlContactId("ghl-riku"), GhlContactId("ghl-other")
LATER = make.STARTS + timedelta(days=1)
A = make.booking("a")
B = make.booking("b", old_id="a", starts_at=LATER)
GONE = make.booking("a", state=M, new_id="b")


def note(id_: str = "n1", text: str | None = "old", contact_id: GhlContactId = RIKU) -> NoteState:
    return NoteState(id=GhlNoteId(id_), contact_id=contact_id, text=text)


def plan(*rows: Booking, **notes: NoteState) -> NotePlan:
    return plan_notes(
        rows, {BookingId(id_): state for id_, state in notes.items()}, MirrorOwner(RIKU)
    )


def text_of(booking: Booking, before: Booking | None = None, root: str = "a") -> str:
    return render_note(booking, before, BookingId(root))


def test_a_booking_without_a_note_gets_one() -> None:
    expected = CreateNote(
        contact_id=RIKU, booking_id=A.id, text=text_of(A), marker="TimeRex booking a"
    )

    assert plan(A) == NotePlan(actions=(expected,))


def test_a_cancel_rewrites_the_note() -> None:
    cancelled = make.booking("a", state=X)

    (action,) = plan(cancelled, a=note()).actions

    assert action == UpdateNote(
        contact_id=RIKU, booking_id=A.id, note_id=GhlNoteId("n1"), text=text_of(cancelled)
    )


def test_a_note_that_says_it_already_is_unchanged() -> None:
    assert plan(A, a=note(text=text_of(A).replace("\n", "\r\n\r\n"))) == NotePlan()


def test_a_note_of_unknown_text_is_rewritten() -> None:
    assert [action.kind for action in plan(A, a=note(text=None)).actions] == ["note.update"]


@pytest.mark.parametrize(
    "rows", [(A, B), (B, A), (GONE, B), (GONE, make.booking("b", starts_at=LATER))]
)
def test_a_successor_takes_the_note_over(rows: tuple[Booking, Booking]) -> None:
    planned = plan(*rows, a=note())

    assert planned.moves == ((A.id, B.id),)
    assert planned.actions == (
        UpdateNote(contact_id=RIKU, booking_id=B.id, note_id=GhlNoteId("n1"), text=text_of(B, A)),
    )


def test_a_moved_booking_waits_for_its_successor() -> None:
    assert plan(GONE) == NotePlan()

    planned = plan(GONE, a=note())

    assert planned.moves == ()
    (action,) = planned.actions
    assert isinstance(action, UpdateNote)
    assert "Moved to another time, which has not arrived yet" in action.text


def test_a_successor_that_came_first_does_not_get_a_second_note() -> None:
    (alone,) = plan(B).actions
    assert isinstance(alone, CreateNote)
    written = note(text=alone.text)

    (action,) = plan(A, B, b=written).actions

    assert isinstance(action, UpdateNote)  # now it can say where it was moved from
    assert action.text == text_of(B, A)


def test_the_second_note_of_a_chain_is_deleted() -> None:
    planned = plan(A, B, a=note("n1"), b=note("n2"))

    assert planned.moves == ()
    assert planned.actions == (
        UpdateNote(contact_id=RIKU, booking_id=B.id, note_id=GhlNoteId("n2"), text=text_of(B, A)),
        DeleteNote(contact_id=RIKU, booking_id=A.id, note_id=GhlNoteId("n1")),
    )


def test_the_second_note_on_another_person_says_where_the_booking_went() -> None:
    planned = plan(A, B, a=note("n1", contact_id=OTHER), b=note("n2"))

    assert planned.moves == ()
    head, extra = planned.actions
    assert head == UpdateNote(
        contact_id=RIKU, booking_id=B.id, note_id=GhlNoteId("n2"), text=text_of(B, A)
    )
    assert extra == UpdateNote(
        contact_id=OTHER,
        booking_id=A.id,
        note_id=GhlNoteId("n1"),
        text="Onboarding call 30\nMoved to Wed 2026-02-11 10:00 Asia/Tokyo (UTC+09:00)\n"
        "TimeRex booking a",
    )


def test_the_nearest_note_is_taken_over() -> None:
    last = make.booking("c", old_id="b", state=X, starts_at=LATER)

    planned = plan(A, B, last, a=note("n1"), b=note("n2"))

    assert planned.moves == ((B.id, last.id),)
    assert [(action.booking_id, action.kind) for action in planned.actions] == [
        ("c", "note.update"),
        ("a", "note.delete"),
    ]


def test_a_note_on_another_person_is_not_taken_over() -> None:
    planned = plan(A, B, a=note("n1", contact_id=OTHER))

    assert planned.moves == ()
    assert [(action.kind, action.contact_id) for action in planned.actions] == [
        ("note.create", RIKU),
        ("note.update", OTHER),
    ]


def test_the_heads_own_note_stays_its_own_wherever_it_hangs() -> None:
    (action,) = plan(A, a=note(contact_id=OTHER)).actions

    assert (action.kind, action.contact_id) == ("note.update", OTHER)
