"""The GHL operations we use: path, scope and API version of each.

Source: the published OpenAPI files, for every scope and `Version` (docs/vendors/ghl.md).
"""

from typing import NamedTuple

CONTACTS = "2021-07-28"
CALENDARS = "2021-04-15"


class GhlOperation(NamedTuple):
    """One call.

    Attributes:
        path: URL path, with the kind of each id in braces.
        scope: The OAuth scope it needs.
        writes: It can change data: without an answer its outcome is unknown, not failed.
        version: Value of the `Version` header.
    """

    name: str
    method: str
    path: str
    scope: str
    writes: bool
    version: str = CONTACTS


def _read(
    name: str, method: str, path: str, scope: str = "contacts.readonly", version: str = CONTACTS
) -> GhlOperation:
    return GhlOperation(name, method, path, scope, writes=False, version=version)


def _write(
    name: str, method: str, path: str, scope: str = "contacts.write", version: str = CONTACTS
) -> GhlOperation:
    return GhlOperation(name, method, path, scope, writes=True, version=version)


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
LIST_CONTACTS = _read("contact.list", "GET", "/contacts/")
LIST_BUSINESS_CONTACTS = _read("contact.of-business", "GET", "/contacts/business/{business}")

TASK = "/contacts/{contact}/tasks/{task}"
LIST_TASKS = _read("task.list", "GET", "/contacts/{contact}/tasks")
GET_TASK = _read("task.get", "GET", TASK)
CREATE_TASK = _write("task.create", "POST", "/contacts/{contact}/tasks")
UPDATE_TASK = _write("task.update", "PUT", TASK)
COMPLETE_TASK = _write("task.complete", "PUT", f"{TASK}/completed")
DELETE_TASK = _write("task.delete", "DELETE", TASK)
SEARCH_TASKS = _read(
    "task.search", "POST", "/locations/{location}/tasks/search", "locations/tasks.readonly"
)

EVENTS_READ, EVENTS_WRITE = "calendars/events.readonly", "calendars/events.write"
APPOINTMENT = "/calendars/events/appointments/{appointment}"
LIST_CALENDARS = _read("calendar.list", "GET", "/calendars/", "calendars.readonly", CALENDARS)
LIST_CONTACT_APPOINTMENTS = _read(
    "appointment.of-contact", "GET", "/contacts/{contact}/appointments"
)
LIST_EVENTS = _read("appointment.list", "GET", "/calendars/events", EVENTS_READ, CALENDARS)
GET_APPOINTMENT = _read("appointment.get", "GET", APPOINTMENT, EVENTS_READ, CALENDARS)
CREATE_APPOINTMENT = _write(
    "appointment.create", "POST", "/calendars/events/appointments", EVENTS_WRITE, CALENDARS
)
UPDATE_APPOINTMENT = _write("appointment.update", "PUT", APPOINTMENT, EVENTS_WRITE, CALENDARS)
DELETE_APPOINTMENT = _write(
    "appointment.delete", "DELETE", "/calendars/events/{appointment}", EVENTS_WRITE, CALENDARS
)

LIST_USERS = _read("user.list", "GET", "/users/", "users.readonly")

OPERATIONS = {
    each.name: each for each in tuple(globals().values()) if isinstance(each, GhlOperation)
}
"""All operations by name."""
