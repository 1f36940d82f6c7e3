"""Notes. Their text is plain in the workspace, whatever markup GHL stores."""

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import escaped, note_from
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.shared.models import GhlContactId, GhlNote, GhlNoteId


class NoteCalls(GhlTransport):
    """The notes of contacts. There is no list of a location's notes."""

    async def list_notes(self, contact_id: GhlContactId) -> list[GhlNote]:
        """List a contact's notes.

        Source: GET /contacts/{contactId}/notes, which has no pages.
        """
        return await self.send(
            ops.LIST_NOTES,
            lambda answer: [note_from(note, contact_id) for note in answer["notes"] or ()],
            contact=contact_id,
        )

    async def get_note(self, contact_id: GhlContactId, note_id: GhlNoteId) -> GhlNote:
        """Read a note.

        Source: GET /contacts/{contactId}/notes/{id}.
        """
        return await self.send(
            ops.GET_NOTE,
            lambda answer: note_from(answer["note"], contact_id),
            contact=contact_id,
            note=note_id,
        )

    async def create_note(self, contact_id: GhlContactId, text: str) -> GhlNote:
        """Create a note. Markup in the text is escaped.

        Source: POST /contacts/{contactId}/notes.
        """
        return await self.send(
            ops.CREATE_NOTE,
            lambda answer: note_from(answer["note"], contact_id),
            body={"body": escaped(text)},
            contact=contact_id,
        )

    async def update_note(self, contact_id: GhlContactId, note_id: GhlNoteId, text: str) -> GhlNote:
        """Replace a note's text.

        Source: PUT /contacts/{contactId}/notes/{id}.
        """
        return await self.send(
            ops.UPDATE_NOTE,
            lambda answer: note_from(answer["note"], contact_id),
            body={"body": escaped(text)},
            contact=contact_id,
            note=note_id,
        )

    async def delete_note(self, contact_id: GhlContactId, note_id: GhlNoteId) -> None:
        """Delete a note permanently.

        Source: DELETE /contacts/{contactId}/notes/{id}.
        """
        await self.send(ops.DELETE_NOTE, dict, contact=contact_id, note=note_id)
