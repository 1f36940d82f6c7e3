"""What an operation of the GHL API is to the sandbox, and what it gets to work with."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from timerex_ghl.sandbox.answers import Answer, RefusalError, not_found
from timerex_ghl.sandbox.contact_store import Contact
from timerex_ghl.sandbox.state import Ghl
from timerex_ghl.sandbox.tokens import Access
from timerex_ghl.sandbox.wire import Json


class Call(NamedTuple):
    """One call that passed the gate: known token, right version, enough scope, under the limit."""

    ghl: Ghl
    access: Access
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    def check_location(self, location_id: object) -> None:
        """Refuse a location that is not the token's."""
        if location_id != self.access.location_id or location_id != self.ghl.location.id:
            raise RefusalError(403, "The token does not have access to this location.")

    def contact(self) -> Contact:
        """Find the contact the path names."""
        contact_id = self.path["contactId"]
        contact = self.ghl.contacts.by_id.get(contact_id)
        if contact is None:
            raise not_found("Contact", contact_id)
        self.check_location(contact.location_id)
        return contact


class Operation(NamedTuple):
    """One operation. `id`, method, path and scope as in the vendor's OpenAPI files.

    Attributes:
        scope: None for the token endpoint: no bearer token, no version header, and a form as body.
    """

    id: str
    method: str
    path: str
    scope: str | None
    run: Callable[[Call], Answer]
