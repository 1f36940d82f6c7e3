"""The note that mirrors a booking: created once, then updated."""

from functools import partial

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.booking_notes import plan_notes
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.bookings.note_text import has_marker, is_same_text
from timerex_ghl.domain.shared.actions import CreateNote, NoteAction
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.models import (
    Contact,
    GhlNote,
)
from timerex_ghl.engine.bookings.mirror_state import NOTE_CONTACT, TEXT, MirrorState
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import close
from timerex_ghl.engine.writes.write import Claim, write_note


async def mirror_in_note(
    context: SyncContext, claim: Claim, mirror: MirrorState, owner: MirrorOwner
) -> int:
    """Reconcile the notes of a booking's chain; return the number of writes.

    A note that a person deleted in GHL stays deleted.
    """
    plan = plan_notes(mirror.chain, mirror.notes, owner)
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
                base=Contact(
                    values={TEXT: action.text, NOTE_CONTACT: action.contact_id}, tags=None
                ),
            )
        ],
    )


async def recover_notes(context: SyncContext, unknown: list[tuple[Intent, NoteAction]]) -> None:
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
