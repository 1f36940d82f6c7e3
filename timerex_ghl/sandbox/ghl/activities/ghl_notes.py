"""Notes of a contact. They have no update time and can contain HTML.

Source: the vendor's OpenAPI for contacts; answers recorded in July 2026.
"""

import re
from html import unescape

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, new_id, now_ms
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import ONE, READ, WRITE
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

NOTE: dict[str, Check] = {
    "body": body_checks.filled,
    "userId": body_checks.text_or_null,
    "title": body_checks.text,
    "color": body_checks.text,
    "pinned": body_checks.flag,
}
LINE_ENDS = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6])>", re.IGNORECASE)
TAGS = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)


def plain_text(body: str) -> str:
    """Read the text of a note's HTML; plain text stays as it is."""
    if not TAGS.search(body):
        return unescape(body)
    return unescape(TAGS.sub("", LINE_ENDS.sub("\n", body))).strip()


def new_note(contact_id: str, body: Json) -> Json:
    """Make a note as the answers show it. An app's note has no user."""
    return {
        "id": new_id(),
        "userId": None,
        "dateAdded": iso_ms(now_ms()),
        "contactId": contact_id,
        "pinned": False,
        "relations": [],
        **body,
        "bodyText": plain_text(body["body"]),
    }


def list_notes(call: PassedCall) -> ApiAnswer:
    """Return all notes of a contact; there is no paging."""
    return ApiAnswer({"notes": [*call.contact().notes.values()]})


def get_note(call: PassedCall) -> ApiAnswer:
    """Return one note."""
    return ApiAnswer({"note": _note(call)})


def create_note(call: PassedCall) -> ApiAnswer:
    """Write a note."""
    contact = call.contact()
    check_body(call.body, NOTE, ["body"])
    note = new_note(contact.id, call.body)
    contact.notes[note["id"]] = note
    return ApiAnswer({"note": note}, 201)


def update_note(call: PassedCall) -> ApiAnswer:
    """Change what the body names."""
    note = _note(call)
    check_body(call.body, NOTE)
    note.update(call.body)
    note["bodyText"] = plain_text(note["body"])
    return ApiAnswer({"note": note})


def delete_note(call: PassedCall) -> ApiAnswer:
    """Delete a note."""
    del call.contact().notes[_note(call)["id"]]
    return ApiAnswer({"succeded": True})


def _note(call: PassedCall) -> Json:
    note_id = call.path["id"]
    note = call.contact().notes.get(note_id)
    if note is None:
        raise not_found("Note", note_id, 404)
    return note


OPERATIONS = (
    VendorOperation("get-all-notes", "GET", f"{ONE}/notes", READ, list_notes),
    VendorOperation("create-note", "POST", f"{ONE}/notes", WRITE, create_note),
    VendorOperation("get-note", "GET", f"{ONE}/notes/{{id}}", READ, get_note),
    VendorOperation("update-note", "PUT", f"{ONE}/notes/{{id}}", WRITE, update_note),
    VendorOperation("delete-note", "DELETE", f"{ONE}/notes/{{id}}", WRITE, delete_note),
)
