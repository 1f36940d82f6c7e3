"""What holds for every chain of bookings, in whatever order its deliveries come."""

from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from tests import make
from tests.domain.strategies import chains
from timerex_ghl.domain.bookings.booking_merge import fold_booking, join_chain
from timerex_ghl.domain.bookings.booking_notes import NotePlan, NoteState, plan_notes
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.shared.actions import DeleteNote
from timerex_ghl.domain.shared.models import Booking, BookingId, GhlNoteId

T = TypeVar("T")
RIKU = make.ghl_contact().id


def deliver(deliveries: list[Booking]) -> dict[BookingId, Booking]:
    """Store deliveries one after the other, as the ledger does."""
    rows: dict[BookingId, Booking] = {}
    for delivery in deliveries:
        folded = fold_booking(rows.get(delivery.id), delivery)
        if folded is not None:
            rows[delivery.id] = folded
        rows.update((row.id, row) for row in join_chain(list(rows.values())))
    return rows


@given(chains(), st.data())
def test_deliveries_in_any_order_and_number_end_in_the_same_rows(
    deliveries: list[Booking], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(deliveries), max_size=4))
    shuffled = data.draw(st.permutations([*deliveries, *again]))

    assert deliver(shuffled) == deliver(deliveries)


def write_notes(notes: dict[BookingId, NoteState], plan: NotePlan) -> dict[BookingId, NoteState]:
    notes = dict(notes)
    for old, new in plan.moves:
        notes[new] = notes.pop(old)
    for action in plan.actions:
        if isinstance(action, DeleteNote):
            del notes[action.booking_id]
            continue
        made = GhlNoteId(f"note-{len(notes)}")
        id_ = made if action.kind == "note.create" else action.note_id
        state = NoteState(id=id_, contact_id=action.contact_id, text=action.text)
        notes[action.booking_id] = state
    return notes


@given(chains(), st.data())
def test_a_chain_has_one_note_whatever_the_order_and_repeating_writes_nothing(
    deliveries: list[Booking], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(deliveries))
    rows: dict[BookingId, Booking] = {}
    notes: dict[BookingId, NoteState] = {}
    for delivery in shuffled:
        rows = deliver([*rows.values(), delivery])
        mine = connected(rows, delivery)
        notes = write_notes(notes, plan_notes(mine, at(notes, mine), MirrorOwner(RIKU)))
        assert plan_notes(mine, at(notes, mine), MirrorOwner(RIKU)) == NotePlan()

    final = plan_notes(rows.values(), {}, MirrorOwner(RIKU)).actions
    assert [note.text for note in notes.values()] == [
        action.text for action in final if not isinstance(action, DeleteNote)
    ]


def connected(rows: dict[BookingId, Booking], delivery: Booking) -> list[Booking]:
    """Find the stored bookings that are linked to one, step by step."""
    found = {delivery.id}
    while True:
        links = {
            id_
            for row in rows.values()
            if {row.id, row.old_id, row.new_id} & found
            for id_ in (row.id, row.old_id, row.new_id)
            if id_
        }
        if links <= found:
            return [row for row in rows.values() if row.id in found]
        found |= links


def at(known: dict[BookingId, T], rows: list[Booking]) -> dict[BookingId, T]:
    return {row.id: known[row.id] for row in rows if row.id in known}
