"""The note that mirrors a booking: created once, then updated."""

from functools import partial

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.intents import Intent
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.bookings.booking_notes import plan_notes
from timerex_ghl.domain.bookings.guest_remarks import MirrorOwner
from timerex_ghl.domain.bookings.note_text import has_marker, is_same_text
from timerex_ghl.domain.shared.actions import CreateNote, DeleteNote, NoteAction, NoteWrite
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.models import (
    ConnectionName,
    Contact,
    FieldName,
    GhlNote,
    Value,
)
from timerex_ghl.engine.activities.write_activity import Gone
from timerex_ghl.engine.bookings.mirror_state import NOTE_CONTACT, STANDS_IN, TEXT, MirrorState
from timerex_ghl.engine.context import SyncContext
from timerex_ghl.engine.writes.recovery import close
from timerex_ghl.engine.writes.write import Claim, commit_outcome, send_write, write_note


async def mirror_in_note(
    context: SyncContext,
    claim: Claim,
    mirror: MirrorState,
    owner: MirrorOwner,
    *,
    stands_in: bool = False,
) -> int:
    """Reconcile the notes of a booking's chain; return the number of writes.

    A note that a person deleted in GHL stays deleted. `stands_in`: GHL refused the appointment.
    """
    plan = plan_notes(mirror.chain, mirror.notes, owner, stands_in=stands_in)
    for old, new in plan.moves:
        await context.ledger.write(links.move_link, context.connection, "booking-note", old, new)
    written = 0
    for action in plan.actions:
        try:
            if isinstance(action, DeleteNote):
                await _delete(context, claim, action)
            else:
                await write_note(
                    context,
                    claim,
                    action,
                    partial(_commit_note, context, action),
                    partial(_look_for, context, action),
                )
        except NotFoundError:
            if isinstance(action, CreateNote):
                raise
            if isinstance(action, DeleteNote):
                await context.ledger.write(_drop, context.connection, action)
        else:
            written += 1
    return written


async def _delete(context: SyncContext, claim: Claim, action: DeleteNote) -> None:
    async def send() -> Gone:
        await context.ghl.delete_note(action.contact_id, action.note_id)
        return Gone(action.note_id)

    written = await send_write(context, claim, action, send)
    await commit_outcome(context, written, lambda tx, _: _drop(tx, context.connection, action))


def _drop(tx: Connection, connection: ConnectionName, action: DeleteNote) -> None:
    links.drop_link(tx, connection, "booking-note", action.booking_id)


def _commit_note(context: SyncContext, action: NoteWrite, tx: Connection, note: GhlNote) -> None:
    links.save_links(
        tx,
        [
            Link(
                connection=context.connection,
                kind="booking-note",
                local_id=action.booking_id,
                remote_id=note.id,
                written_at=context.now(),
                base=_base_of(action),
            )
        ],
    )


def _base_of(action: NoteWrite) -> Contact:
    values: dict[FieldName, Value] = {TEXT: action.text, NOTE_CONTACT: action.contact_id}
    return Contact(values={**values, **({STANDS_IN: "yes"} if action.stands_in else {})})


async def recover_notes(context: SyncContext, unknown: list[tuple[Intent, NoteAction]]) -> None:
    """Close the open intents about a contact's notes, by the notes that GHL shows now."""
    for intent, action in unknown:
        notes = await context.ghl.list_notes(action.contact_id)
        if isinstance(action, DeleteNote):
            is_gone = action.note_id not in {note.id for note in notes}
            if is_gone:
                await context.ledger.write(_drop, context.connection, action)
            await context.ledger.write(close, intent, action.note_id if is_gone else None)
            continue
        note = _find(notes, action)
        if note is not None:
            await context.ledger.write(_commit_recovered, context, action, note)
        result_id = note.id if note else None
        await context.ledger.write(close, intent, result_id)


async def _look_for(context: SyncContext, action: NoteWrite) -> GhlNote | None:
    return _find(await context.ghl.list_notes(action.contact_id), action)


def _find(notes: list[GhlNote], action: NoteWrite) -> GhlNote | None:
    """Find what an action wrote: a new note by its marker, an updated one by its text."""
    for note in notes:
        if isinstance(action, CreateNote):
            if has_marker(note.text, action.marker):
                return note
        elif note.id == action.note_id and is_same_text(note.text, action.text):
            return note
    return None


def _commit_recovered(
    tx: Connection, context: SyncContext, action: NoteWrite, note: GhlNote
) -> None:
    _commit_note(context, action, tx, note)
