"""GHL's operations that we use: where they are, what they need, and which version we speak.

Source: the published OpenAPI files; every row's scope and `Version` are the ones given there.
"""

from typing import NamedTuple

CONTACTS = "2021-07-28"


class Operation(NamedTuple):
    """One call.

    Attributes:
        path: With the kinds of its ids in braces.
        scope: The right it needs.
        writes: It can change something: an answer that never came is no failure, but unknown.
        version: What the `Version` header says.
    """

    name: str
    method: str
    path: str
    scope: str
    writes: bool
    version: str = CONTACTS


def _read(name: str, method: str, path: str, scope: str = "contacts.readonly") -> Operation:
    return Operation(name, method, path, scope, writes=False)


def _write(name: str, method: str, path: str) -> Operation:
    return Operation(name, method, path, "contacts.write", writes=True)


GET_LOCATION = _read("location.get", "GET", "/locations/{location}", "locations.readonly")
LIST_CUSTOM_FIELDS = _read(
    "custom-fields.list",
    "GET",
    "/locations/{location}/customFields",
    "locations/customFields.readonly",
)
GET_CONTACT = _read("contact.get", "GET", "/contacts/{contact}")
SEARCH_CONTACTS = _read("contact.search", "POST", "/contacts/search")
FIND_DUPLICATE = _read("contact.duplicate", "GET", "/contacts/search/duplicate")
CREATE_CONTACT = _write("contact.create", "POST", "/contacts/")
UPDATE_CONTACT = _write("contact.update", "PUT", "/contacts/{contact}")
DELETE_CONTACT = _write("contact.delete", "DELETE", "/contacts/{contact}")
ADD_TAGS = _write("tags.add", "POST", "/contacts/{contact}/tags")
REMOVE_TAGS = _write("tags.remove", "DELETE", "/contacts/{contact}/tags")
LIST_NOTES = _read("note.list", "GET", "/contacts/{contact}/notes")
GET_NOTE = _read("note.get", "GET", "/contacts/{contact}/notes/{note}")
CREATE_NOTE = _write("note.create", "POST", "/contacts/{contact}/notes")
UPDATE_NOTE = _write("note.update", "PUT", "/contacts/{contact}/notes/{note}")
DELETE_NOTE = _write("note.delete", "DELETE", "/contacts/{contact}/notes/{note}")
