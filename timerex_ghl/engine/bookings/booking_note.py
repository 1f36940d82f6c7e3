"""The note that mirrors a booking: created once, then updated."""

from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import intents, links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.booking_notes import NoteState, plan_notes
from timerex_ghl.domain.bookings.note_text import has_marker, is_same_text
from timerex_ghl.domain.shared.actions import CreateNote, NoteAction, UpdateNote
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    ConnectionName,
    Contact,
    FieldName,
    GhlContactId,
    GhlNote,
    GhlNoteId,
)
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import ACTION, close
from timerex_ghl.engine.writes.write import Claim, write_note


class UnknownNoteWrite(NamedTuple):
    """A write of a note whose outcome is unknown."""

    intent: Intent
    action: NoteAction


TEXT, CONTACT = FieldName("text"), FieldName("contact")


async def mirror_in_note(
    context: SyncContext, claim: Claim, booking: Booking, ghl_id: GhlContactId
) -> int:
    """Reconcile the notes of a booking's chain; return the number of writes.

    A note that a person deleted in GHL stays deleted.
    """
    unknown, chain, notes = await context.ledger.read(_read, context.connection, claim, booking)
    if unknown:
        await _recover(context, unknown)
        _, chain, notes = await context.ledger.read(_read, context.connection, claim, booking)
    plan = plan_notes(chain, notes, ghl_id)
    for old, new in plan.moves:
        await context.ledger.write(links.move_link, context.connection, "booking-note", old, new)
    written = 0
    for action in plan.actions:
        try:
            await write_note(context, claim, action, partial(_commit_note, context, action))
        except NotFoundError:
            if isinstance(action, CreateNote):
                raise
        else:
            written += 1
    return written


def _read(
    tx: Connection, connection: ConnectionName, claim: Claim, booking: Booking
) -> tuple[list[UnknownNoteWrite], list[Booking], dict[BookingId, NoteState]]:
    """Read the writes whose outcome is unknown, the booking's chain, and its notes."""
    unknown = [
        UnknownNoteWrite(intent, action)
        for intent in intents.open_intents(tx, connection, [claim.record_key])
        if isinstance(action := ACTION.validate_json(intent.payload), CreateNote | UpdateNote)
    ]
    chain = bookings.get_chain(tx, connection, booking)
    found = links.links_of_locals(tx, connection, "booking-note", [row.booking.id for row in chain])
    notes = {BookingId(local_id): _note_of(link) for local_id, link in found.items()}
    return unknown, [row.booking for row in chain], notes


def _note_of(link: Link) -> NoteState:
    """Read a note's state from its link: the base has the text both sides last agreed on."""
    values = link.base.values if link.base else {}
    text, contact = values.get(TEXT), values.get(CONTACT)
    return NoteState(
        id=GhlNoteId(link.remote_id),
        contact_id=GhlContactId(contact if isinstance(contact, str) else ""),
        text=text if isinstance(text, str) else None,
    )


def _commit_note(context: SyncContext, action: NoteAction, tx: Connection, note: GhlNote) -> None:
    links.save_links(
        tx,
        [
            Link(
                connection=context.connection,
                kind="booking-note",
                local_id=action.booking_id,
                remote_id=note.id,
                written_at=context.now(),
                base=Contact(values={TEXT: action.text, CONTACT: action.contact_id}, tags=None),
            )
        ],
    )


async def _recover(context: SyncContext, unknown: list[UnknownNoteWrite]) -> None:
    """Close the open intents about a contact's notes, by the notes that GHL shows now."""
    for intent, action in unknown:
        note = _find(await context.ghl.list_notes(action.contact_id), action)
        if note is not None:
            await context.ledger.write(_commit_recovered, context, action, note)
        result_id = note.id if note else None
        await context.ledger.write(close, intent, result_id)


def _find(notes: list[GhlNote], action: NoteAction) -> GhlNote | None:
    """Find what an action wrote: a new note by its marker, an updated one by its text."""
    for note in notes:
        if isinstance(action, CreateNote):
            if has_marker(note.text, action.marker):
                return note
        elif note.id == action.note_id and is_same_text(note.text, action.text):
            return note
    return None


def _commit_recovered(
    tx: Connection, context: SyncContext, action: NoteAction, note: GhlNote
) -> None:
    _commit_note(context, action, tx, note)
