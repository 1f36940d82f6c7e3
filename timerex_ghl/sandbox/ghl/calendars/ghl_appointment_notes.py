"""Notes of an appointment. The same note shows on its contact.

Source: the vendor's OpenAPI for calendars: at most 20 a page, bodies up to 5,000 characters.
"""

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.activities.ghl_notes import new_note, plain_text
from timerex_ghl.sandbox.ghl.calendars.ghl_appointments import READ, WRITE
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

LONGEST = 5_000
LARGEST_PAGE = 20
LIST: dict[str, Check] = {"limit": body_checks.digits, "offset": body_checks.digits}
NOTE: dict[str, Check] = {"body": body_checks.filled, "userId": body_checks.text}


def list_notes(call: PassedCall) -> ApiAnswer:
    """Return a page of notes, the newest first."""
    query = call.read_query(LIST, "limit", "offset")
    limit, offset = int(query["limit"]), int(query["offset"])
    if not 1 <= limit <= LARGEST_PAGE:
        raise RefusalError(422, [f"limit must not be greater than {LARGEST_PAGE}"])
    contact, relation = _owner(call)
    found = [_shape(call, note) for note in contact.notes.values() if relation in note["relations"]]
    page = found[::-1][offset : offset + limit]
    return ApiAnswer({"notes": page, "hasMore": offset + limit < len(found)})


def create_note(call: PassedCall) -> ApiAnswer:
    """Write a note."""
    contact, relation = _owner(call)
    note = new_note(contact.id, {**_checked(call), "relations": [relation]})
    contact.notes[note["id"]] = note
    return ApiAnswer({"note": _shape(call, note)}, 201)


def update_note(call: PassedCall) -> ApiAnswer:
    """Change a note."""
    note = _note(call)
    note.update(_checked(call))
    note["bodyText"] = plain_text(note["body"])
    return ApiAnswer({"note": _shape(call, note)})


def delete_note(call: PassedCall) -> ApiAnswer:
    """Delete a note, from the contact too."""
    contact, _ = _owner(call)
    del contact.notes[_note(call)["id"]]
    return ApiAnswer({"success": True})


def _owner(call: PassedCall) -> tuple[SandboxContact, Json]:
    """Find the appointment's contact, and the fields that tie a note to the appointment."""
    appointment_id = call.path["appointmentId"]
    event = call.ghl.appointments.get(appointment_id)
    contact = call.ghl.contacts.by_id.get(event["contactId"]) if event else None
    if contact is None:
        raise not_found("Appointment", appointment_id)
    call.check_location(contact.location_id)
    return contact, {"objectKey": "appointment", "recordId": appointment_id}


def _note(call: PassedCall) -> Json:
    contact, relation = _owner(call)
    note = contact.notes.get(call.path["noteId"])
    if note is None or relation not in note["relations"]:
        raise not_found("Note", call.path["noteId"], 404)
    return note


def _checked(call: PassedCall) -> Json:
    check_body(call.body, NOTE, ["body"])
    if len(call.body["body"]) > LONGEST:
        raise RefusalError(422, [f"body must be shorter than or equal to {LONGEST} characters"])
    return call.body


def _shape(call: PassedCall, note: Json) -> Json:
    shape = {key: note[key] for key in ("id", "body", "userId", "dateAdded", "contactId")}
    user = call.ghl.setup.users.get(note["userId"])
    return {**shape, "createdBy": {"id": user["id"], "name": user["name"]}} if user else shape


ALL = "/calendars/appointments/{appointmentId}/notes"
ONE = f"{ALL}/{{noteId}}"
OPERATIONS = (
    VendorOperation("get-appointment-notes", "GET", ALL, READ, list_notes),
    VendorOperation("create-appointment-note", "POST", ALL, WRITE, create_note),
    VendorOperation("update-appointment-note", "PUT", ONE, WRITE, update_note),
    VendorOperation("delete-appointment-note", "DELETE", ONE, WRITE, delete_note),
)
