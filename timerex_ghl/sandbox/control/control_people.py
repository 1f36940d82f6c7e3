"""Control of the GHL half's contacts: edits by CRM users, which also send events."""

from pydantic import PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_requests import ControlOrder, known, read, reply
from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, now_ms
from timerex_ghl.sandbox.core.seed_data import invent_people
from timerex_ghl.sandbox.ghl.access.tokens import ALL_SCOPES, GhlAccess
from timerex_ghl.sandbox.ghl.activities.ghl_notes import NOTE, new_note
from timerex_ghl.sandbox.ghl.contacts import contact_shapes
from timerex_ghl.sandbox.ghl.contacts.contact_body import CREATE, normal_phone, write_body
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.contacts.merging import merge, restore
from timerex_ghl.sandbox.ghl.delivery.ghl_event_bodies import (
    emit_contact_event,
    emit_note_event,
    update_types,
)
from timerex_ghl.sandbox.ghl.ghl_requests import read_body
from timerex_ghl.sandbox.ghl.ghl_router import ghl_router
from timerex_ghl.sandbox.ghl.ghl_running import perform
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.location.ghl_location import FIELD, add_field
from timerex_ghl.sandbox.ghl.operations import PassedCall

PERSON: dict[str, Check] = {
    **{key: check for key, check in CREATE.items() if key != "locationId"},
    "type": body_checks.text,
    "additionalEmails": body_checks.texts,
    "additionalPhones": body_checks.texts,
    "businessId": body_checks.text_or_null,
}


class BulkOrder(ControlOrder):
    """How many people to invent."""

    count: PositiveInt
    seed: int = 1


class MergeOrder(ControlOrder):
    """Which contact stays."""

    into: str


class PeopleControl:
    """The calls."""

    def __init__(self, ghl: Ghl) -> None:
        self.ghl = ghl
        self.router = ghl_router(ghl, lambda _scope: None)

    async def list_contacts(self, _request: Request) -> Response:
        """Return all contacts in full, with notes and tasks."""
        return reply(contacts=[_whole(contact) for contact in self.ghl.contacts])

    async def add_contact(self, request: Request) -> Response:
        """Add a contact; the duplicate rule does not apply to CRM users."""
        contact = self._new()
        contact.fields.update(country=self.ghl.location.country, type="lead")
        await self._write(contact, request)
        emit_contact_event(self.ghl, contact, "ContactCreate")
        return reply(201, contact=_whole(contact))

    async def edit_contact(self, request: Request) -> Response:
        """Change a contact."""
        contact = self._contact(request)
        self.ghl.past.keep(contact.id, contact)
        keys = await self._write(contact, request)
        emit_contact_event(self.ghl, contact, *update_types(keys))
        return reply(contact=_whole(contact))

    async def delete_contact(self, request: Request) -> Response:
        """Delete a contact."""
        contact = self._contact(request)
        self.ghl.past.keep(contact.id, contact)
        self.ghl.contacts.delete(contact.id)
        emit_contact_event(self.ghl, contact, "ContactDelete")
        return reply()

    async def merge_contact(self, request: Request) -> Response:
        """Merge a contact into another."""
        order, loser = await read(request, MergeOrder), self._contact(request)
        if order.into == loser.id:
            raise RefusalError(422, "cannot merge a contact into itself")
        master = known(self.ghl.contacts.by_id, order.into)
        merge(self.ghl, loser, master)
        return reply(contact=_whole(master))

    async def restore_contact(self, request: Request) -> Response:
        """Restore a deleted contact."""
        contact = known(self.ghl.contacts.deleted, request.path_params["id"])
        restore(self.ghl, contact)
        return reply(contact=_whole(contact))

    async def add_note(self, request: Request) -> Response:
        """Write a note; a person's note has a user."""
        contact, body = self._contact(request), read_body(await request.body())
        check_body(body, NOTE, ["body"])
        self.ghl.past.keep(contact.id, contact)
        note = new_note(contact.id, {"userId": self.ghl.setup.user_id, **body})
        contact.notes[note["id"]] = note
        emit_note_event(self.ghl, note, "NoteCreate")
        return reply(201, note=note)

    async def add_custom_field(self, request: Request) -> Response:
        """Make a custom field."""
        body = read_body(await request.body())
        check_body(body, FIELD, ["name", "dataType"])
        return reply(201, customField=add_field(self.ghl, body))

    async def invent(self, request: Request) -> Response:
        """Invent people."""
        order = await read(request, BulkOrder)
        for fields, tags in invent_people(order.count, order.seed):
            contact = self._new()
            contact.fields, contact.tags = fields, tags
            self.ghl.contacts.save(contact)
            emit_contact_event(self.ghl, contact, "ContactCreate")
        return reply(201, created=order.count)

    async def operate(self, request: Request) -> Response:
        """Run an operation of the API without token, limit, fault or log."""
        found = self.router.root.find(request.path_params["path"].split("/"))
        operation = found[0].operations.get(request.method) if found else None
        if found is None or operation is None:
            raise RefusalError(404, "the API has no such operation")
        body = read_body(await request.body())
        if operation.id == "create-note":
            body = {"userId": self.ghl.setup.user_id, **body}
        person = GhlAccess("private", "person", self.ghl.location.id, ALL_SCOPES)
        call = PassedCall(self.ghl, person, found[1], request.query_params, body)
        answer = perform(operation, call)
        return reply(answer.status, **answer.body)

    async def _write(self, contact: SandboxContact, request: Request) -> list[str]:
        """Change a contact; return the keys in the body."""
        body = read_body(await request.body())
        check_body(body, PERSON)
        keys = [*body]
        contact.additional_emails = body.pop("additionalEmails", contact.additional_emails)
        contact.additional_phones = [
            normal_phone(phone, self.ghl.location.country) or phone
            for phone in body.pop("additionalPhones", contact.additional_phones)
        ]
        contact.business_id = body.pop("businessId", contact.business_id)
        write_body(self.ghl, contact, body)
        self.ghl.contacts.save(contact)
        return keys

    def _new(self) -> SandboxContact:
        person = {"source": "WEB_USER", "channel": "APP", "sourceId": self.ghl.setup.user_id}
        return SandboxContact(self.ghl.location.id, {**person, "timestamp": iso_ms(now_ms())})

    def _contact(self, request: Request) -> SandboxContact:
        return known(self.ghl.contacts.by_id, request.path_params["id"])


def _whole(contact: SandboxContact) -> Json:
    notes, tasks = [*contact.notes.values()], [*contact.tasks.values()]
    return {**contact_shapes.got(contact), "notes": notes, "tasks": tasks}


def people_routes(ghl: Ghl) -> list[Route]:
    """Route the calls."""
    control = PeopleControl(ghl)
    return [
        Route("/ghl/contacts", control.list_contacts, methods=["GET"]),
        Route("/ghl/contacts", control.add_contact, methods=["POST"]),
        Route("/ghl/contacts/{id}", control.edit_contact, methods=["PATCH"]),
        Route("/ghl/contacts/{id}", control.delete_contact, methods=["DELETE"]),
        Route("/ghl/contacts/{id}/merge", control.merge_contact, methods=["POST"]),
        Route("/ghl/contacts/{id}/restore", control.restore_contact, methods=["POST"]),
        Route("/ghl/contacts/{id}/notes", control.add_note, methods=["POST"]),
        Route("/ghl/custom_fields", control.add_custom_field, methods=["POST"]),
        Route("/ghl/bulk", control.invent, methods=["POST"]),
        Route("/ghl/person/{path:path}", control.operate, methods=["POST", "PUT", "DELETE"]),
    ]
