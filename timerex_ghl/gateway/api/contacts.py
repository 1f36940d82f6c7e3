"""`/contacts`: the contacts of the workspace."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, Security
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.contacts import contact_pages
from timerex_ghl.adapters.ledger.tables.contacts.contact_pages import WantedContacts
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ContactId
from timerex_ghl.domain.shared.normal import email_key, phone_key
from timerex_ghl.gateway.api.authentication import ApiCaller, GuardedRoute, Here, bearer
from timerex_ghl.gateway.api.document import CHANGES, DELETES, LISTS, MAKES, READS
from timerex_ghl.gateway.api.once import IdempotencyKey, Made, make_once
from timerex_ghl.gateway.api.pages import ApiPage, cursor_of, no_cursor, place_of
from timerex_ghl.gateway.api.versions import IfMatch, tag_of, wanted_versions
from timerex_ghl.workspace import contact_edits
from timerex_ghl.workspace.contact_views import (
    ContactChange,
    ContactDraft,
    ContactQuery,
    ContactView,
    view_of,
)
from timerex_ghl.workspace.edits import UnknownRecordError

router = APIRouter(
    prefix="/contacts",
    tags=["contacts"],
    route_class=GuardedRoute,
    dependencies=[Security(bearer)],
)
Id = Annotated[str, Path(pattern=r"^[!-~]{1,128}$")]


@router.get("", summary="List contacts", responses=LISTS)
async def list_contacts(
    caller: Here, query: Annotated[ContactQuery, Query()]
) -> ApiPage[ContactView]:
    """List contacts by id, without deleted ones."""
    wanted = _wanted(caller, query)
    if wanted is None:
        return ApiPage(items=[], next_cursor=None)
    after = place_of(query.cursor)
    if after is not None and not after.startswith("c_"):
        raise no_cursor()
    found = await caller.ledger.read(
        contact_pages.page_of_contacts,
        caller.connection,
        wanted,
        None if after is None else ContactId(after),
        query.limit + 1,
    )
    page = found[: query.limit]
    more = cursor_of(page[-1].row.id) if len(found) > query.limit else None
    return ApiPage(items=[*map(view_of, page)], next_cursor=more)


@router.post(
    "", summary="Add a contact", status_code=201, responses=MAKES, response_model=ContactView
)
async def add_contact(
    caller: Here, request: Request, draft: ContactDraft, key: IdempotencyKey = None
) -> Response:
    """Add a contact. A contact with the same e-mail or phone is a 409 with its id."""
    entry = WorkspaceChange(values=draft.values(), tags_added=frozenset(draft.tags))

    def make(tx: Connection) -> Made:
        row = contact_edits.add_contact(tx, caller.editor, entry, clock.now(tx))
        view = _read(tx, caller, row.id)
        return Made(row.id, row.version, view.model_dump_json())

    return await make_once(request, caller, key, make)


@router.get("/{contact_id}", summary="Read a contact", responses=READS)
async def get_contact(caller: Here, contact_id: Id, response: Response) -> ContactView:
    """Read a contact."""
    view = await caller.ledger.read(_read, caller, ContactId(contact_id))
    response.headers["ETag"] = tag_of(view.version)
    return view


@router.patch("/{contact_id}", summary="Change a contact", responses=CHANGES)
async def change_contact(
    caller: Here,
    contact_id: Id,
    change: ContactChange,
    response: Response,
    if_match: IfMatch = None,
) -> ContactView:
    """Change the sent fields. A request that changes nothing makes no new version."""
    versions = wanted_versions(if_match)
    entry = WorkspaceChange(
        values=change.values(),
        tags_added=frozenset(change.tags_added),
        tags_removed=frozenset(change.tags_removed),
    )

    def edit(tx: Connection) -> ContactView:
        person, now = ContactId(contact_id), clock.now(tx)
        contact_edits.change_contact(tx, caller.editor, person, entry, now, versions=versions)
        return _read(tx, caller, person)

    view = await caller.ledger.write(edit)
    response.headers["ETag"] = tag_of(view.version)
    return view


@router.delete("/{contact_id}", summary="Delete a contact", status_code=204, responses=DELETES)
async def delete_contact(caller: Here, contact_id: Id, if_match: IfMatch = None) -> None:
    """Delete a contact in the workspace. The CRM keeps its own, which is not synced back."""
    versions = wanted_versions(if_match)

    def delete(tx: Connection) -> None:
        person, now = ContactId(contact_id), clock.now(tx)
        contact_edits.delete_contact(tx, caller.editor, person, now, versions=versions)

    await caller.ledger.write(delete)


def _read(tx: Connection, caller: ApiCaller, contact_id: ContactId) -> ContactView:
    found = contact_pages.get_dated(tx, caller.connection, contact_id)
    if found is None:
        raise UnknownRecordError(f"there is no contact {contact_id}")
    return view_of(found)


def _wanted(caller: ApiCaller, query: ContactQuery) -> WantedContacts | None:
    """Return the filters; None: the e-mail or phone is invalid, so no contact can have it."""
    email = email_key(query.email)
    phone = phone_key(query.phone, caller.settings.region)
    if (query.email is not None and email is None) or (query.phone is not None and phone is None):
        return None
    return WantedContacts(email, phone, query.updated_since)
