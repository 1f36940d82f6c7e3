"""Plan one note for each chain of bookings, linked to the booking that counts."""

from collections.abc import Collection, Mapping, Sequence

from timerex_ghl.domain.bookings.booking_merge import head_of, join_chain, owner_of, root_of
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner, remarks_on_guest
from timerex_ghl.domain.bookings.note_text import is_same_text, marker_of, render_moved, render_note
from timerex_ghl.domain.shared.actions import CreateNote, DeleteNote, NoteAction, UpdateNote
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingState,
    GhlContactId,
    GhlNoteId,
    Record,
)


class NoteState(Record):
    """The note of a booking.

    Attributes:
        contact_id: Its contact in GHL.
        text: Its plain text; None where that is not known.
        stands_in: It shows the booking in place of an appointment that GHL refused.
    """

    id: GhlNoteId
    contact_id: GhlContactId
    text: str | None
    stands_in: bool = False


class NotePlan(Record):
    """How to bring the notes of a chain in sync.

    Attributes:
        moves: Links to change first, each from the old booking to the new one.
        actions: What to write afterwards.
    """

    moves: tuple[tuple[BookingId, BookingId], ...] = ()
    actions: tuple[NoteAction, ...] = ()


def plan_notes(
    rows: Collection[Booking],
    notes: Mapping[BookingId, NoteState],
    contact: MirrorOwner,
    *,
    stands_in: bool = False,
) -> NotePlan:
    """Plan the writes so that one note shows a chain of bookings.

    A successor gets the nearest note before it. A second note on the same contact is deleted: its
    booking arrived before it was known to belong to the chain. One on another contact (who rebooked
    under another name) says where the booking was moved. A moved booking whose successor has not
    arrived updates its note, and gets no new one.

    Args:
        rows: Every stored booking of the chain.
        notes: The notes these bookings have.
        contact: The guest of the chain's head.
        stands_in: GHL refused the chain's appointment; a note that stands in goes on doing so.
    """
    chain = join_chain(rows)
    head = head_of(chain)
    owner = owner_of(chain, {id_: note.contact_id for id_, note in notes.items()}, contact.ghl_id)
    moves = ((owner, head.id),) if owner is not None and owner != head.id else ()
    first = notes[owner] if owner else None
    shown_on = first.contact_id if first else contact.ghl_id
    actions = [
        *_head_actions(chain, head, first, contact, stands_in=stands_in),
        *(
            action
            for row in chain
            if row.id != owner and (note := notes.get(row.id))
            for action in (
                [DeleteNote(contact_id=shown_on, booking_id=row.id, note_id=note.id)]
                if note.contact_id == shown_on
                else _rewrite(note, row.id, render_moved(row, head, root_of(chain)))
            )
        ),
    ]
    return NotePlan(moves=moves, actions=tuple(actions))


def _head_actions(
    chain: Sequence[Booking],
    head: Booking,
    note: NoteState | None,
    contact: MirrorOwner,
    *,
    stands_in: bool,
) -> list[NoteAction]:
    root_id = root_of(chain)
    before = next((row for row in chain if row.id == head.old_id), None)
    text = render_note(head, before, root_id, remarks_on_guest(head, contact))
    if note is not None:
        return _rewrite(note, head.id, text)
    if head.state is BookingState.MOVED:
        return []
    return [
        CreateNote(
            contact_id=contact.ghl_id,
            booking_id=head.id,
            text=text,
            marker=marker_of(root_id),
            stands_in=stands_in,
        )
    ]


def _rewrite(note: NoteState, booking_id: BookingId, text: str) -> list[NoteAction]:
    if note.text is not None and is_same_text(note.text, text):
        return []
    return [
        UpdateNote(
            contact_id=note.contact_id,
            booking_id=booking_id,
            note_id=note.id,
            text=text,
            stands_in=note.stands_in,
        )
    ]
