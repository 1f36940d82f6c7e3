"""Bodies of GHL's events: flat, without the author of the change.

Source: the vendor's published webhook pages and schemas; docs issues 77, 264, 312 and 332.
"""

from collections.abc import Collection, Iterator

from timerex_ghl.sandbox.core.json_io import Json, iso_ms, now_ms
from timerex_ghl.sandbox.ghl.contacts import contact_shapes
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.ghl_state import Ghl

NOTE_KEYS = ("id", "body", "contactId", "dateAdded")
TASK_KEYS = ("id", "title", "body", "contactId", "assignedTo", "dateAdded", "dueDate")
APPOINTMENT_TEXTS = ("groupId", "address", "notes", "assignedUserId", "source")
APPOINTMENT_KEYS = (
    "id", "title", "calendarId", "contactId", "appointmentStatus",
    "startTime", "endTime", "dateAdded", "dateUpdated",
)  # fmt: skip
CONTACT_KEYS = (
    "firstName", "lastName", "email", "phone", "address1", "city", "state", "postalCode", "country",
    "companyName", "source", "website", "dateOfBirth", "assignedTo",
)  # fmt: skip
FIRES_UPDATE = {*CONTACT_KEYS, "name", "dnd", "tags", "customFields", "timezone"}
FIRES_DND = {"dnd", "dndSettings"}


def contact_fields(contact: SandboxContact) -> Json:
    """Return the fields of a contact's events; empty ones are absent."""
    plain = {key: contact.fields[key] for key in CONTACT_KEYS if key in contact.fields}
    name = {"name": contact.full_name} if contact.full_name else {}
    return {
        "locationId": contact.location_id,
        "id": contact.id,
        **plain,
        **name,
        "dateAdded": iso_ms(contact.added_ms),
        "dnd": bool(contact.fields.get("dnd")),
        "tags": contact.tags,
        "customFields": contact_shapes.custom_fields(contact),
        "attachments": [],
    }


def emit_contact_event(ghl: Ghl, contact: SandboxContact, *types: str) -> None:
    """Send events of a contact."""
    if ghl.deliveries.webhook.url is None:
        return
    for type_ in types:
        more = {"dndSettings": contact.fields.get("dndSettings", {})}
        extra = more if type_ == "ContactDndUpdate" else {}
        ghl.deliveries.send(type_, {**contact_fields(contact), **extra})


def emit_note_event(ghl: Ghl, note: Json, type_: str) -> None:
    """Send the event of a note: without its user and title."""
    payload = {key: note[key] for key in NOTE_KEYS if key in note}
    ghl.deliveries.send(type_, {"locationId": ghl.location.id, **payload})


def emit_task_event(ghl: Ghl, task: Json, type_: str) -> None:
    """Send the event of a task."""
    omitted: Collection[str] = ()
    if type_ == "TaskCreate" and ghl.deliveries.webhook.task_create_without_contact:
        omitted = ("contactId", "body")
    added_at = ghl.task_times.setdefault(task["id"], iso_ms(now_ms()))
    payload = {"dateAdded": added_at, **task}
    payload = {key: payload[key] for key in TASK_KEYS if key in payload and key not in omitted}
    ghl.deliveries.send(type_, {"locationId": ghl.location.id, **payload})


def emit_appointment_event(ghl: Ghl, event: Json, type_: str) -> None:
    """Send the event of an appointment: the only ones with a time of change."""
    payload = {key: event[key] for key in APPOINTMENT_KEYS if key in event}
    texts = {key: event.get(key) or "" for key in APPOINTMENT_TEXTS}
    texts["source"] = event.get("createdBy", {}).get("source") or texts["source"]
    users = [user for user in (event.get("assignedUserId"),) if user]
    appointment = {**payload, **texts, "users": event.get("users") or users}
    ghl.deliveries.send(type_, {"locationId": ghl.location.id, "appointment": appointment})


def update_types(keys: Collection[str]) -> Iterator[str]:
    """Yield the events for a change of these fields; other fields have none."""
    if FIRES_UPDATE & set(keys):
        yield "ContactUpdate"
    if "tags" in keys:
        yield "ContactTagUpdate"
    if FIRES_DND & set(keys):
        yield "ContactDndUpdate"
