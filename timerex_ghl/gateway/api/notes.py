"""`/notes`: notes of contacts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, Security

from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.domain.activities.activity_entry import NoteEntry
from timerex_ghl.gateway.api.activities import Activities, Id
from timerex_ghl.gateway.api.authentication import GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import CHANGES, DELETES, LISTS, MAKES, READS
from timerex_ghl.gateway.api.once import IdempotencyKey
from timerex_ghl.gateway.api.pages import ApiPage
from timerex_ghl.gateway.api.versions import IfMatch
from timerex_ghl.workspace.activity_views import NoteDraft, NoteQuery, NoteView, view_of_note

router = APIRouter(
    prefix="/notes", tags=["notes"], route_class=GuardedRoute, dependencies=[Security(bearer)]
)
NOTES = Activities("note", view_of_note)


@router.get("", summary="List notes", responses=LISTS)
async def list_notes(caller: Here, query: Annotated[NoteQuery, Query()]) -> ApiPage[NoteView]:
    """List notes by id."""
    wanted = WantedActivities(query.contact_id, query.task_id, None, query.updated_since)
    return await NOTES.page(caller, wanted, query)


@router.post("", summary="Add a note", status_code=201, responses=MAKES, response_model=NoteView)
async def add_note(
    caller: Here, request: Request, draft: NoteDraft, key: IdempotencyKey = None
) -> Response:
    """Add a note to a contact. It is synced to the CRM."""
    return await NOTES.add(request, caller, draft, key)


@router.get("/{note_id}", summary="Read a note", responses=READS)
async def get_note(caller: Here, note_id: Id, response: Response) -> NoteView:
    """Read a note."""
    return await NOTES.read(caller, note_id, response)


@router.patch("/{note_id}", summary="Change a note", responses=CHANGES)
async def change_note(
    caller: Here, note_id: Id, change: NoteEntry, response: Response, if_match: IfMatch = None
) -> NoteView:
    """Change the sent fields. A request that changes nothing makes no new version."""
    return await NOTES.change(caller, note_id, change, response, if_match)


@router.delete("/{note_id}", summary="Delete a note", status_code=204, responses=DELETES)
async def delete_note(caller: Here, note_id: Id, if_match: IfMatch = None) -> None:
    """Delete a note in the workspace and the CRM."""
    await NOTES.delete(caller, note_id, if_match)
