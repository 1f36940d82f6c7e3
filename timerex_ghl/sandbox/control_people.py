"""Control of the GHL half's contacts: the edits of a person in the CRM."""

from pydantic import PositiveInt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox import checks, shapes
from timerex_ghl.sandbox.checks import Check, check_body
from timerex_ghl.sandbox.contact_body import CREATE, write_body
from timerex_ghl.sandbox.contact_store import Contact
from timerex_ghl.sandbox.control_requests import Order, known, read, reply
from timerex_ghl.sandbox.ghl_location import FIELD, add_field
from timerex_ghl.sandbox.ghl_notes import NOTE, new_note
from timerex_ghl.sandbox.ghl_requests import read_body
from timerex_ghl.sandbox.invented import invent_people
from timerex_ghl.sandbox.state import Ghl
from timerex_ghl.sandbox.wire import Json, iso_ms, now_ms

PERSON: dict[str, Check] = {
    **{key: check for key, check in CREATE.items() if key != "locationId"},
    "type": checks.text,
    "additionalEmails": checks.texts,
    "businessId": checks.text_or_null,
}


class BulkOrder(Order):
    """How many people to invent."""

    count: PositiveInt
    seed: int = 1


class PeopleControl:
    """The calls."""

    def __init__(self, ghl: Ghl) -> None:
        self.ghl = ghl

    async def list_contacts(self, _request: Request) -> Response:
        """Give all contacts whole, with notes and tasks."""
        return reply(contacts=[_whole(contact) for contact in self.ghl.contacts])

    async def add_contact(self, request: Request) -> Response:
        """Add a contact; the duplicate rule does not hold for people."""
        contact = self._new()
        contact.fields.update(country=self.ghl.location.country, type="lead")
        await self._write(contact, request)
        return reply(201, contact=_whole(contact))

    async def edit_contact(self, request: Request) -> Response:
        """Change a contact."""
        contact = self._contact(request)
        await self._write(contact, request)
        return reply(contact=_whole(contact))

    async def delete_contact(self, request: Request) -> Response:
        """Delete a contact."""
        self.ghl.contacts.delete(self._contact(request).id)
        return reply()

    async def add_note(self, request: Request) -> Response:
        """Write a note; a person's note has a user."""
        contact, body = self._contact(request), read_body(await request.body())
        check_body(body, NOTE, ["body"])
        note = new_note(contact.id, {"userId": self.ghl.user_id, **body})
        contact.notes[note["id"]] = note
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
        return reply(201, created=order.count)

    async def _write(self, contact: Contact, request: Request) -> None:
        body = read_body(await request.body())
        check_body(body, PERSON)
        contact.additional_emails = body.pop("additionalEmails", contact.additional_emails)
        contact.business_id = body.pop("businessId", contact.business_id)
        write_body(self.ghl, contact, body)
        self.ghl.contacts.save(contact)

    def _new(self) -> Contact:
        person = {"source": "WEB_USER", "channel": "APP", "sourceId": self.ghl.user_id}
        return Contact(self.ghl.location.id, {**person, "timestamp": iso_ms(now_ms())})

    def _contact(self, request: Request) -> Contact:
        return known(self.ghl.contacts.by_id, request.path_params["id"])


def _whole(contact: Contact) -> Json:
    notes, tasks = [*contact.notes.values()], [*contact.tasks.values()]
    return {**shapes.got(contact), "notes": notes, "tasks": tasks}


def people_routes(ghl: Ghl) -> list[Route]:
    """Route the calls."""
    control = PeopleControl(ghl)
    return [
        Route("/ghl/contacts", control.list_contacts, methods=["GET"]),
        Route("/ghl/contacts", control.add_contact, methods=["POST"]),
        Route("/ghl/contacts/{id}", control.edit_contact, methods=["PATCH"]),
        Route("/ghl/contacts/{id}", control.delete_contact, methods=["DELETE"]),
        Route("/ghl/contacts/{id}/notes", control.add_note, methods=["POST"]),
        Route("/ghl/custom_fields", control.add_custom_field, methods=["POST"]),
        Route("/ghl/bulk", control.invent, methods=["POST"]),
    ]
