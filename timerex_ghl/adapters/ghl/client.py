"""The GHL client: one method, one request. It never retries; whoever calls it does."""

import html
from collections.abc import Collection
from datetime import datetime
from typing import Any

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.contacts import ContactPage, CustomField, SearchAfter
from timerex_ghl.adapters.ghl.mappers import (
    contact_from_get,
    contact_from_search,
    location_from,
    note_from,
    tags_of,
)
from timerex_ghl.adapters.ghl.transport import Transport
from timerex_ghl.sync.errors import CredentialsError, RetryableError
from timerex_ghl.sync.models import (
    GhlContact,
    GhlContactId,
    GhlNote,
    GhlNoteId,
    GhlValues,
    Location,
    Value,
)

CUSTOM = "customFields."
NEVER_SENT = frozenset({"tags", "locationId"})
LARGEST_PAGE = 500


class GhlClient(Transport):
    """One GHL location, in our words.

    Raises (every method):
        ScopeError: The token lacks the right. Where it writes, nothing was sent.
        CredentialsError: GHL does not accept the credentials.
        NotFoundError: There is no such record.
        SkippableError: GHL refuses this record as it is.
        RateLimitedError: Too many calls; the location waits.
        RetryableError: An outage, before anything happened.
        UnknownOutcomeError: A write was sent and its answer never read.
    """

    async def get_location(self) -> Location:
        """Read the location, and make sure that it is the one these credentials are for.

        Source: GET /locations/{locationId}.
        """
        body = await self.send(ops.GET_LOCATION, {"id": self.location_id})
        location = location_from(body["location"])
        if location.id != self.location_id:
            raise CredentialsError(
                f"the credentials are for location {location.id}, not {self.location_id}"
            )
        return location

    async def list_custom_fields(self) -> list[CustomField]:
        """List the location's custom fields of contacts.

        Source: GET /locations/{locationId}/customFields.
        """
        body = await self.send(
            ops.LIST_CUSTOM_FIELDS, {"id": self.location_id}, params={"model": "contact"}
        )
        return [
            CustomField(
                id=field["id"],
                key=field.get("fieldKey") or "",
                name=field.get("name") or "",
                data_type=field.get("dataType") or "",
            )
            for field in body.get("customFields") or ()
        ]

    async def get_contact(self, contact_id: GhlContactId) -> GhlContact:
        """Read a contact.

        Source: GET /contacts/{contactId}; an unknown id is a 400 "not found".
        """
        return contact_from_get((await self.send(ops.GET_CONTACT, {"id": contact_id}))["contact"])

    async def create_contact(self, values: GhlValues) -> GhlContact:
        """Make a contact.

        Source: POST /contacts/.

        Raises:
            DuplicateContactError: GHL knows this person; it names the contact.
        """
        body = {"locationId": self.location_id, **_body_of(values)}
        return contact_from_get((await self.send(ops.CREATE_CONTACT, {}, body))["contact"])

    async def update_contact(self, contact_id: GhlContactId, values: GhlValues) -> GhlContact:
        """Change these fields of a contact, and no others.

        Source: PUT /contacts/{contactId}.
        """
        body = await self.send(ops.UPDATE_CONTACT, {"id": contact_id}, _body_of(values))
        return contact_from_get(body["contact"])

    async def delete_contact(self, contact_id: GhlContactId) -> None:
        """Delete a contact for good.

        Source: DELETE /contacts/{contactId}.
        """
        await self.send(ops.DELETE_CONTACT, {"id": contact_id})

    async def search_contacts(
        self,
        *,
        updated_since: datetime | None = None,
        after: SearchAfter | None = None,
        limit: int = LARGEST_PAGE,
    ) -> ContactPage:
        """Read a page of contacts, the longest unchanged first.

        The index behind it lags writes by seconds.

        Args:
            updated_since: Leave out what did not change from then on.
            after: Where the page before ended.
            limit: 500 at most.

        Source: POST /contacts/search, with `searchAfter` since page numbers end at 10,000 records.
        """
        body: dict[str, Any] = {
            "locationId": self.location_id,
            "pageLimit": limit,
            "sort": [{"field": "dateUpdated", "direction": "asc"}],
        }
        if updated_since is not None:
            since = {"gte": updated_since.isoformat()}
            body["filters"] = [{"field": "dateUpdated", "operator": "range", "value": since}]
        if after is not None:
            body["searchAfter"] = [*after]
        answer = await self.send(ops.SEARCH_CONTACTS, {}, body)
        found: list[dict[str, Any]] = answer.get("contacts") or []
        is_last = len(found) < limit
        return ContactPage.model_construct(
            contacts=tuple(contact_from_search(contact) for contact in found),
            after=None if is_last else _next_after(found[-1]),
            total=int(answer.get("total") or 0),
        )

    async def find_duplicate(
        self, *, email: str | None = None, phone: str | None = None
    ) -> GhlContact | None:
        """Find the contact that has this e-mail, or this phone: one of the two at a time.

        Source: GET /contacts/search/duplicate.
        """
        key = {"email": email} if email is not None else {"number": phone}
        params = {"locationId": self.location_id, **key}
        found = (await self.send(ops.FIND_DUPLICATE, {}, params=params)).get("contact")
        return contact_from_get(found) if found else None

    async def add_tags(self, contact_id: GhlContactId, tags: Collection[str]) -> frozenset[str]:
        """Put tags on a contact; hand back all it has then. One it has already changes nothing.

        Source: POST /contacts/{contactId}/tags.
        """
        body = await self.send(ops.ADD_TAGS, {"id": contact_id}, {"tags": sorted(tags)})
        return tags_of(body["tags"])

    async def remove_tags(self, contact_id: GhlContactId, tags: Collection[str]) -> frozenset[str]:
        """Take tags off a contact; hand back all it has then.

        Source: DELETE /contacts/{contactId}/tags.
        """
        body = await self.send(ops.REMOVE_TAGS, {"id": contact_id}, {"tags": sorted(tags)})
        return tags_of(body["tags"])

    async def list_notes(self, contact_id: GhlContactId) -> list[GhlNote]:
        """List a contact's notes.

        Source: GET /contacts/{contactId}/notes, which has no pages.
        """
        body = await self.send(ops.LIST_NOTES, {"id": contact_id})
        return [note_from(note, contact_id) for note in body.get("notes") or ()]

    async def get_note(self, contact_id: GhlContactId, note_id: GhlNoteId) -> GhlNote:
        """Read a note.

        Source: GET /contacts/{contactId}/notes/{id}.
        """
        body = await self.send(ops.GET_NOTE, {"id": contact_id, "note_id": note_id})
        return note_from(body["note"], contact_id)

    async def create_note(self, contact_id: GhlContactId, text: str) -> GhlNote:
        """Write a note. What looks like markup in the text stays text.

        Source: POST /contacts/{contactId}/notes.
        """
        body = await self.send(ops.CREATE_NOTE, {"id": contact_id}, {"body": _escaped(text)})
        return note_from(body["note"], contact_id)

    async def update_note(self, contact_id: GhlContactId, note_id: GhlNoteId, text: str) -> GhlNote:
        """Rewrite a note.

        Source: PUT /contacts/{contactId}/notes/{id}.
        """
        ids = {"id": contact_id, "note_id": note_id}
        body = await self.send(ops.UPDATE_NOTE, ids, {"body": _escaped(text)})
        return note_from(body["note"], contact_id)

    async def delete_note(self, contact_id: GhlContactId, note_id: GhlNoteId) -> None:
        """Delete a note for good.

        Source: DELETE /contacts/{contactId}/notes/{id}.
        """
        await self.send(ops.DELETE_NOTE, {"id": contact_id, "note_id": note_id})


def _body_of(values: GhlValues) -> dict[str, Any]:
    """Write a contact's body: custom fields by id, and never what would erase others' tags."""
    body: dict[str, Any] = {}
    custom: list[dict[str, Any]] = []
    for field, value in values.items():
        if field in NEVER_SENT:
            raise AssertionError(f"{field} is never sent in a contact's body")
        if field.startswith(CUSTOM):
            custom.append({"id": field.removeprefix(CUSTOM), "field_value": _sent(value)})
        else:
            body[field] = _sent(value)
    return {**body, "customFields": custom} if custom else body


def _sent(value: Value) -> str | list[str] | None:
    return [*value] if isinstance(value, tuple) else value


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _next_after(last: dict[str, Any]) -> SearchAfter:
    """Take the place GHL names; an answer without one cannot be read on.

    Raises:
        RetryableError: There is none.
    """
    after = last.get("searchAfter")
    if not after:
        raise RetryableError("GHL's search did not say where its next page begins")
    return tuple(after)
