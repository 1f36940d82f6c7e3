"""GHL's operations that we use: where they are, what they need, and which version we speak.

Source: the published OpenAPI files; every row's scope and `Version` are the ones given there.
"""

from typing import NamedTuple

CONTACTS = "2021-07-28"


class Operation(NamedTuple):
    """One call.

    Attributes:
        path: With the names of its ids in braces.
        writes: It can change something: an answer that never came is no failure, but unknown.
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


GET_LOCATION = _read("location.get", "GET", "/locations/{id}", "locations.readonly")
LIST_CUSTOM_FIELDS = _read(
    "custom-fields.list", "GET", "/locations/{id}/customFields", "locations/customFields.readonly"
)
GET_CONTACT = _read("contact.get", "GET", "/contacts/{id}")
SEARCH_CONTACTS = _read("contact.search", "POST", "/contacts/search")
FIND_DUPLICATE = _read("contact.duplicate", "GET", "/contacts/search/duplicate")
CREATE_CONTACT = _write("contact.create", "POST", "/contacts/")
UPDATE_CONTACT = _write("contact.update", "PUT", "/contacts/{id}")
DELETE_CONTACT = _write("contact.delete", "DELETE", "/contacts/{id}")
ADD_TAGS = _write("tags.add", "POST", "/contacts/{id}/tags")
REMOVE_TAGS = _write("tags.remove", "DELETE", "/contacts/{id}/tags")
LIST_NOTES = _read("note.list", "GET", "/contacts/{id}/notes")
GET_NOTE = _read("note.get", "GET", "/contacts/{id}/notes/{note_id}")
CREATE_NOTE = _write("note.create", "POST", "/contacts/{id}/notes")
UPDATE_NOTE = _write("note.update", "PUT", "/contacts/{id}/notes/{note_id}")
DELETE_NOTE = _write("note.delete", "DELETE", "/contacts/{id}/notes/{note_id}")
