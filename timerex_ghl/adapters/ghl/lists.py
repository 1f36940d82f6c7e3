"""Other contact calls: a business's contacts, and the deprecated list."""

from typing import NamedTuple

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.contacts import ContactCalls
from timerex_ghl.adapters.ghl.mappers import Json, contact_from_list
from timerex_ghl.domain.shared.models import GhlContact, GhlContactId, Record

LIST_PAGE = 100


class StartAfter(NamedTuple):
    """The last contact of the page before: when it was added (ms since 1970) and its id."""

    added_ms: int
    contact_id: GhlContactId


class ListPage(Record):
    """One page of the deprecated list. `after`: where the next begins; None on the last page."""

    contacts: tuple[GhlContact, ...]
    after: StartAfter | None


class ListCalls(ContactCalls):
    """Contact calls of one location other than search."""

    async def list_business_contacts(
        self, business_id: str, *, skip: int = 0, limit: int = LIST_PAGE
    ) -> list[GhlContact]:
        """Read a page of a business's contacts; an empty page follows the last one.

        Names are lower-cased here, so they are never written back.

        Source: GET /contacts/business/{businessId}.
        """
        return await self.send(
            ops.LIST_BUSINESS_CONTACTS,
            self._listed,
            params={"locationId": self.location_id, "limit": str(limit), "skip": str(skip)},
            business=business_id,
        )

    async def list_contacts(
        self, after: StartAfter | None = None, *, limit: int = LIST_PAGE
    ) -> ListPage:
        """Read a page of all contacts, newest first. Deprecated: use `search_contacts`.

        Source: GET /contacts/, which still works.
        """
        params: dict[str, str] = {"locationId": self.location_id, "limit": str(limit)}
        if after is not None:
            params |= {"startAfter": str(after.added_ms), "startAfterId": after.contact_id}
        return await self.send(ops.LIST_CONTACTS, self._list_page, params=params)

    def _listed(self, answer: Json) -> list[GhlContact]:
        return [self.own(contact_from_list(contact)) for contact in answer["contacts"] or ()]

    def _list_page(self, answer: Json) -> ListPage:
        contacts = self._listed(answer)
        last = contacts[-1] if contacts else None
        after = None
        if last is not None and last.created_at is not None:
            after = StartAfter(round(last.created_at.timestamp() * 1000), last.id)
        return ListPage(contacts=tuple(contacts), after=after)
