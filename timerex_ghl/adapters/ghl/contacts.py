"""Contacts: one by one, by key, and page by page."""

from datetime import UTC, datetime
from typing import Any

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, contact_from_get, contact_from_search
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.contacts.mapping import CUSTOM_PREFIX, is_custom
from timerex_ghl.domain.shared.errors import CredentialsError, RetryableError
from timerex_ghl.domain.shared.models import GhlContact, GhlContactId, GhlValues, Record, Value

SearchAfter = tuple[int | float | str, ...]
"""Where a search continues: the cursor GHL put on the last contact of the page before."""

NEVER_IN_A_BODY = frozenset({"tags", "locationId"})
LARGEST_PAGE = 500


class ContactPage(Record):
    """One page of a search.

    Attributes:
        after: Where the next page begins; None on the last page.
        total: Number of contacts the search matches.
    """

    contacts: tuple[GhlContact, ...]
    after: SearchAfter | None
    total: int


class ContactCalls(GhlTransport):
    """The contacts of one location."""

    async def get_contact(self, contact_id: GhlContactId) -> GhlContact:
        """Read a contact.

        Source: GET /contacts/{contactId}; an unknown id is a 400 "not found".
        """
        return await self.send(ops.GET_CONTACT, self.contact_in, contact=contact_id)

    async def create_contact(self, values: GhlValues) -> GhlContact:
        """Create a contact.

        Source: POST /contacts/.

        Raises:
            DuplicateContactError: A contact with this key exists; the error has its id.
        """
        body = {"locationId": self.location_id, **body_of(values)}
        return await self.send(ops.CREATE_CONTACT, self.contact_in, body=body)

    async def update_contact(self, contact_id: GhlContactId, values: GhlValues) -> GhlContact:
        """Change the given fields of a contact.

        Source: PUT /contacts/{contactId}.
        """
        body = body_of(values)
        return await self.send(ops.UPDATE_CONTACT, self.contact_in, body=body, contact=contact_id)

    async def delete_contact(self, contact_id: GhlContactId) -> None:
        """Delete a contact permanently.

        Source: DELETE /contacts/{contactId}.
        """
        await self.send(ops.DELETE_CONTACT, dict, contact=contact_id)

    async def find_duplicate(
        self, *, email: str | None = None, phone: str | None = None
    ) -> GhlContact | None:
        """Find the contact with this e-mail or this phone: one of the two at a time.

        Source: GET /contacts/search/duplicate.
        """
        keys = {"email": email, "number": phone}
        asked = {name: value for name, value in keys.items() if value is not None}
        if len(asked) != 1:
            raise ValueError("pass exactly one of email and phone")
        params = {"locationId": self.location_id, **asked}
        return await self.send(
            ops.FIND_DUPLICATE,
            lambda answer: self.contact_in(answer) if answer.get("contact") else None,
            params=params,
        )

    async def search_contacts(
        self,
        *,
        updated_since: datetime | None = None,
        after: SearchAfter | None = None,
        limit: int = LARGEST_PAGE,
    ) -> ContactPage:
        """Read a page of contacts, least recently updated first.

        The index behind it lags writes by seconds.

        Args:
            updated_since: Only contacts updated at or after this time.
            after: The `after` of the page before.
            limit: At most 500.

        Raises:
            RetryableError: GHL returned the same page again.

        Source: POST /contacts/search; `searchAfter` because page numbers end at 10,000 records.
        """
        body: dict[str, Any] = {
            "locationId": self.location_id,
            "pageLimit": limit,
            "sort": [{"field": "dateUpdated", "direction": "asc"}],
        }
        if updated_since is not None:
            since = {"gte": updated_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
            body["filters"] = [{"field": "dateUpdated", "operator": "range", "value": since}]
        if after is not None:
            body["searchAfter"] = [*after]
        page = await self.send(
            ops.SEARCH_CONTACTS, lambda found: self._page(found, after), body=body
        )
        if page.after is not None and page.after == after:
            raise RetryableError("GHL's search returned the same page again")
        return page

    def _page(self, answer: Json, after: SearchAfter | None) -> ContactPage:
        """Parse a page. The last one is an empty page, or a first page with all contacts."""
        found: list[Json] = answer["contacts"]
        total = answer.get("total")
        is_all = after is None and total is not None and len(found) >= total
        return ContactPage.model_construct(
            contacts=tuple(self.own(contact_from_search(contact)) for contact in found),
            after=None if is_all or not found else tuple(found[-1]["searchAfter"]),
            total=int(total or 0),
        )

    def contact_in(self, answer: Json) -> GhlContact:
        """Parse the contact in an answer."""
        return self.own(contact_from_get(answer["contact"]))

    def own(self, contact: GhlContact) -> GhlContact:
        """Return the contact after checking that it belongs to this location.

        Raises:
            CredentialsError: It belongs to another location.
        """
        if contact.location_id not in {"", self.location_id}:
            raise CredentialsError(
                f"GHL returned contact {contact.id} of location {contact.location_id}, but these"
                f" credentials should be for {self.location_id}"
            )
        return contact


def body_of(values: GhlValues) -> dict[str, Any]:
    """Build a contact's body: custom fields by id. `tags` are refused: they replace all tags."""
    if NEVER_IN_A_BODY & values.keys():
        raise ValueError("tags and locationId are never sent in a contact's body")
    body = {field: _sent(value) for field, value in values.items() if not is_custom(field)}
    custom = [
        {"id": field.removeprefix(CUSTOM_PREFIX), "field_value": _sent(value)}
        for field, value in values.items()
        if is_custom(field)
    ]
    return {**body, "customFields": custom} if custom else {**body}


def _sent(value: Value) -> str | list[str] | None:
    return [*value] if isinstance(value, tuple) else value
