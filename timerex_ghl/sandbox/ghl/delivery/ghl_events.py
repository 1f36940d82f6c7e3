"""Which events an operation sends.

There are none for changed or reopened tasks, followers, businesses and additional e-mails, and none
for a contact's notes and tasks when it is deleted.

Source: the vendor's published webhook pages. Not known, and chosen here: a call with a listed field
fires, whether its value changed or not; completing a completed task fires nothing; deleting a tag
of the location fires nothing for its contacts.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from timerex_ghl.sandbox.core.answers import ApiAnswer
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.delivery.ghl_event_bodies import (
    emit_appointment_event,
    emit_contact_event,
    emit_note_event,
    emit_task_event,
    update_types,
)
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

Emit: TypeAlias = Callable[[Json], None]
"""Sends the events, after the operation has answered."""
Look: TypeAlias = Callable[[PassedCall], Emit]
"""Reads the record before the operation changes it."""
Types: TypeAlias = Callable[[PassedCall, Json], Iterable[str]]


def run(operation: VendorOperation, call: PassedCall) -> ApiAnswer:
    """Run an operation and send its events."""
    look = EVENTS.get(operation.id)
    if look is None or call.ghl.deliveries.webhook.url is None:
        return operation.run(call)
    emit = look(call)
    answer = operation.run(call)
    emit(answer.body)
    return answer


def _contact(types: Types) -> Look:
    def look(call: PassedCall) -> Emit:
        before = _find_contact(call, {})

        def emit(answer: Json) -> None:
            contact = _find_contact(call, answer) or before
            if contact is not None:
                emit_contact_event(call.ghl, contact, *types(call, answer))

        return emit

    return look


def _note(type_: str) -> Look:
    def look(call: PassedCall) -> Emit:
        before = _find_part(call, {}, "note", "id")

        def emit(answer: Json) -> None:
            note = _find_part(call, answer, "note", "id") or before
            if note is not None:
                emit_note_event(call.ghl, note, type_)

        return emit

    return look


def _task(type_: str | None) -> Look:
    """Send one event, or `TaskComplete` if the task becomes completed."""

    def look(call: PassedCall) -> Emit:
        before = _find_part(call, {}, "task", "taskId")
        was_done = before is not None and before.get("completed")

        def emit(answer: Json) -> None:
            task = _find_part(call, answer, "task", "taskId") or before
            if task is not None and type_:
                emit_task_event(call.ghl, task, type_)
            elif task is not None and task.get("completed") and not was_done:
                emit_task_event(call.ghl, task, "TaskComplete")

        return emit

    return look


def _appointment(type_: str) -> Look:
    """Send one event. A cancel is a change of the status: an update."""

    def look(call: PassedCall) -> Emit:
        def emit(answer: Json) -> None:
            event = call.ghl.appointments.get(call.path.get("eventId") or answer["id"])
            if event is not None:
                emit_appointment_event(call.ghl, event, type_)

        return emit

    return look


def _bulk_tags(call: PassedCall) -> Emit:
    def emit(answer: Json) -> None:
        for outcome in answer["responses"]:
            contact = call.ghl.contacts.by_id.get(outcome["contactId"])
            if contact is not None:
                emit_contact_event(call.ghl, contact, *_tag_types(call, outcome))

    return emit


def _find_contact(call: PassedCall, answer: Json) -> SandboxContact | None:
    contact_id = call.path.get("contactId") or answer.get("contact", {}).get("id")
    return call.ghl.contacts.by_id.get(contact_id)


def _find_part(call: PassedCall, answer: Json, kind: str, parameter: str) -> Json | None:
    """Find a note or a task of the contact that the path names."""
    contact = _find_contact(call, {})
    if contact is None:
        return None
    its_id = call.path.get(parameter) or answer.get(kind, {}).get("id")
    return (contact.notes if kind == "note" else contact.tasks).get(its_id)


def _always(type_: str) -> Types:
    return lambda _call, _answer: (type_,)


def _upsert_types(call: PassedCall, answer: Json) -> Iterable[str]:
    return ("ContactCreate",) if answer["new"] else update_types(call.body)


def _tag_types(_call: PassedCall, answer: Json) -> Iterable[str]:
    """Return none if the tags did not change."""
    return ("ContactTagUpdate",) if answer.get("tagsAdded") or answer.get("tagsRemoved") else ()


EVENTS: dict[str, Look] = {
    "create-contact": _contact(_always("ContactCreate")),
    "upsert-contact": _contact(_upsert_types),
    "update-contact": _contact(lambda call, _answer: update_types(call.body)),
    "delete-contact": _contact(_always("ContactDelete")),
    "add-tags": _contact(_tag_types),
    "remove-tags": _contact(_tag_types),
    "create-association": _bulk_tags,
    "create-note": _note("NoteCreate"),
    "update-note": _note("NoteUpdate"),
    "delete-note": _note("NoteDelete"),
    "create-task": _task("TaskCreate"),
    "update-task": _task(None),
    "update-task-completed": _task(None),
    "delete-task": _task("TaskDelete"),
    "create-appointment": _appointment("AppointmentCreate"),
    "edit-appointment": _appointment("AppointmentUpdate"),
    "delete-event": _appointment("AppointmentDelete"),
}
