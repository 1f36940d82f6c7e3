"""An operation of the GHL API, and the call it gets."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.access.tokens import GhlAccess
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.ghl_state import Ghl


class PassedCall(NamedTuple):
    """One call that passed the gate: known token, right version, enough scope, under the limit."""

    ghl: Ghl
    access: GhlAccess
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    def check_location(self, location_id: object) -> None:
        """Refuse a location that is not the token's."""
        if location_id != self.access.location_id or location_id != self.ghl.location.id:
            raise RefusalError(403, "The token does not have access to this location.")

    def read_query(self, known: Mapping[str, Check], *required: str) -> dict[str, str]:
        """Check the query parameters: an unknown one is a 422, another's location a 403."""
        query = dict(self.query)
        check_body(query, known, required)
        if "locationId" in query:
            self.check_location(query["locationId"])
        return query

    def contact(self) -> SandboxContact:
        """Find the contact the path names."""
        contact_id = self.path["contactId"]
        contact = self.ghl.contacts.by_id.get(contact_id)
        if contact is None:
            raise not_found("Contact", contact_id)
        self.check_location(contact.location_id)
        return contact


class VendorOperation(NamedTuple):
    """One operation. `id`, method, path and scope as in the vendor's OpenAPI files.

    Attributes:
        scope: None for the token endpoint: no bearer token and no version header.
        agency: Whether agency tokens may call it: no, also, or only they.
        form: Its body is a form.
    """

    id: str
    method: str
    path: str
    scope: str | None
    run: Callable[[PassedCall], ApiAnswer]
    agency: Literal["no", "too", "only"] = "no"
    form: bool = False
