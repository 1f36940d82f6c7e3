"""A location with one of everything, and a call of each operation on it."""

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import httpx

from tests.sandbox.calling import SandboxCaller
from timerex_ghl.sandbox.ghl.operations import VendorOperation

Json: TypeAlias = dict[str, Any]

LOCATION: Json = {"locationId": "{locationId}"}
SLOT: Json = {"startTime": "2030-01-07T10:00:00+09:00", "endTime": "2030-01-07T10:30:00+09:00"}
LATER: Json = {"startTime": "2030-01-07T11:00:00+09:00", "endTime": "2030-01-07T11:30:00+09:00"}
JANUARY_2030: Json = {"startTime": "1893456000000", "endTime": "1896134400000"}
RIKU: Json = {
    "firstName": "Riku",
    "lastName": "Sato",
    "email": "riku@hinode.example",
    "phone": "+819012345678",
    "address1": "1-2-3 Aoba",
    "city": "Sendai",
    "state": "Miyagi",
    "postalCode": "980-0000",
    "country": "JP",
    "website": "https://hinode.example",
    "timezone": "Asia/Tokyo",
    "source": "booking page",
    "companyName": "Hinode",
    "dateOfBirth": "1990-01-02",
    "gender": "male",
    "dnd": True,
    "dndSettings": {"Email": {"status": "active", "message": "asked for it", "code": "1"}},
    "inboundDndSettings": {"all": {"status": "inactive"}},
    "tags": ["VIP", "lead"],
}
YUI: Json = {**RIKU, **LOCATION, "email": "yui@hinode.example", "phone": "+819000000000"}
NEW: Json = {**YUI, "customFields": [{"id": "{field}", "field_value": "12"}]}
CREATE_ONLY = {"gender", "companyName"}
FIELD: Json = {"name": "Size", "placeholder": "How many?", "position": 100}
APPOINTMENT: Json = {**LOCATION, "calendarId": "{calendarId}", "contactId": "{contactId}"}
FOLLOWERS: Json = {"followers": ["{userId}"]}

BODIES: dict[str, Json] = {
    "create-contact": NEW,
    "upsert-contact": NEW,
    "update-contact": {key: value for key, value in RIKU.items() if key not in CREATE_ONLY},
    "search-contacts-advanced": {**LOCATION, "pageLimit": 20},
    "add-tags": {"tags": ["new"]},
    "remove-tags": {"tags": ["vip"]},
    "create-association": {**LOCATION, "contacts": ["{contactId}", "gone"], "tags": ["a"]},
    "add-remove-contact-from-business": {
        **LOCATION,
        "ids": ["{contactId}"],
        "businessId": "{businessId}",
    },
    "add-followers-contact": FOLLOWERS,
    "remove-followers-contact": FOLLOWERS,
    "add-contact-to-workflow": {"eventStartTime": "2030-01-07T10:00:00+09:00"},
    "delete-contact-from-workflow": {},
    "create-note": {"body": "<p>Tea</p>", "title": "Tea", "color": "#fff", "pinned": True},
    "update-note": {"body": "Tea", "userId": "{userId}"},
    "create-task": {"title": "Call", "dueDate": SLOT["startTime"], "completed": False},
    "update-task": {"title": "Call", "body": "soon", "assignedTo": "{userId}"},
    "update-task-completed": {"completed": True},
    "task-search": {"contactId": ["{contactId}"], "completed": False, "limit": 10},
    "create-appointment": {**APPOINTMENT, **LATER, "title": "Call"},
    "edit-appointment": {"appointmentStatus": "cancelled", "toNotify": False},
    "delete-event": {},
    "create-appointment-note": {"body": "Tea", "userId": "{userId}"},
    "update-appointment-note": {"body": "Tea"},
    "create-custom-field": {**FIELD, "dataType": "TEXT", "model": "contact"},
    "update-custom-field": FIELD,
    "create-tag": {"name": "Gold"},
    "update-tag": {"name": "Gold"},
    "create-custom-value": {"name": "Door code", "value": "1234"},
    "update-custom-value": {"name": "Door code", "value": "4321"},
    "create-business": {**LOCATION, "name": "Midori", "email": "office@midori.example"},
    "update-business": {"name": "Midori", "city": "Osaka"},
    "get-access-token": {
        "client_id": "{client_id}",
        "client_secret": "{client_secret}",
        "grant_type": "refresh_token",
        "refresh_token": "{refresh_token}",
    },
    "get-location-access-token": {**LOCATION, "companyId": "{companyId}"},
}
QUERIES: dict[str, Json] = {
    "get-duplicate-contact": {**LOCATION, "email": RIKU["email"]},
    "get-contacts": {**LOCATION, "limit": "20", "query": "riku"},
    "get-contacts-by-businessId": {**LOCATION, "limit": "20", "skip": "0"},
    "get-custom-fields": {"model": "all"},
    "get-calendars": {**LOCATION, "showDrafted": "false"},
    "get-calendar-events": {**LOCATION, **JANUARY_2030, "calendarId": "{calendarId}"},
    "get-appointment-notes": {"limit": "20", "offset": "0"},
    "get-user-by-location": LOCATION,
    "search-users": {"companyId": "{companyId}", "limit": "5", "query": "hana"},
    "get-businesses-by-location": {**LOCATION, "limit": "5"},
    "get-workflow": LOCATION,
    "get-installed-location": {"companyId": "{companyId}", "appId": "app", "isInstalled": "true"},
}
NAME_OF_ID = {"notes": "note", "customFields": "field", "customValues": "value"}


@dataclass
class OpenApiWorld:
    """A sandbox, with the ids and credentials for placeholders in braces."""

    sandbox: SandboxCaller
    ids: dict[str, str]

    def fill(self, value: Any) -> Any:
        """Replace placeholders by ids."""
        match value:
            case str() if value.startswith("{"):
                return self.ids[value[1:-1]]
            case dict():
                return {key: self.fill(item) for key, item in cast("Json", value).items()}
            case list():
                return [self.fill(item) for item in cast("list[Any]", value)]
            case _:
                return value

    def path(self, operation: VendorOperation, ids: dict[str, str] | None = None) -> str:
        """Return an operation's path with ids in it."""
        ids, parts = {**self.ids, **(ids or {})}, operation.path.split("/")
        for at, part in enumerate(parts):
            if part == "{id}":
                parts[at] = ids[NAME_OF_ID[parts[at - 1]]]
            elif part.startswith("{"):
                parts[at] = ids[part[1:-1]]
        return "/".join(parts)

    async def call(
        self,
        operation: VendorOperation,
        *,
        body: Json | None = None,
        token: str | None = None,
        ids: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Call an operation with valid arguments, except for those given."""
        if body is None:
            body = self.fill(BODIES.get(operation.id))
        ghl, private = self.sandbox.info.ghl, self.sandbox.info.ghl.private_token
        usual = self.ids["agency"] if operation.agency == "only" else private
        headers = {"authorization": f"Bearer {token or usual}", "version": "2021-07-28"}
        return await self.sandbox.http.request(
            operation.method,
            ghl.base_url + self.path(operation, ids),
            params=self.fill(QUERIES.get(operation.id, {})),
            headers=headers,
            data=body if operation.form else None,
            json=None if operation.form else body,
        )


async def made_world(sandbox: SandboxCaller) -> OpenApiWorld:
    """Fill a sandbox with one of everything."""
    await sandbox.control("POST", "/ghl/limits", enabled=False)
    ghl = sandbox.info.ghl
    agency = await sandbox.control("POST", "/ghl/tokens", kind="agency")
    location = (await sandbox.ghl("GET", f"/locations/{ghl.location_id}")).json()["location"]
    workflows = await sandbox.ghl("GET", f"/workflows/?locationId={ghl.location_id}")
    ids = {
        "locationId": ghl.location_id,
        "companyId": location["companyId"],
        "userId": ghl.user_id,
        "calendarId": ghl.calendar_id,
        "workflowId": workflows.json()["workflows"][0]["id"],
        "client_id": ghl.client_id,
        "client_secret": ghl.client_secret,
        "refresh_token": ghl.refresh_token,
        "agency": agency["access_token"],
        "type": "add",
    }
    world = OpenApiWorld(sandbox, ids)
    await fill_world(world)
    return world


async def fill_world(world: OpenApiWorld) -> None:
    """Create the records that an operation's path can name."""
    ids = world.ids

    async def make(name: str, path: str, body: Json, key: str | None = None) -> None:
        answer = await world.sandbox.ghl("POST", path, world.fill(body))
        assert answer.is_success, answer.text
        ids[name] = (answer.json()[key] if key else answer.json())["id"]

    location = f"/locations/{ids['locationId']}"
    await make("contactId", "/contacts/", {**RIKU, **LOCATION}, "contact")
    contact = f"/contacts/{ids['contactId']}"
    await make("note", f"{contact}/notes", BODIES["create-note"], "note")
    await make("taskId", f"{contact}/tasks", BODIES["create-task"], "task")
    await make("eventId", "/calendars/events/appointments", {**APPOINTMENT, **SLOT})
    ids["appointmentId"] = ids["eventId"]
    notes = f"/calendars/appointments/{ids['eventId']}/notes"
    await make("noteId", notes, BODIES["create-appointment-note"], "note")
    await make(
        "field", f"{location}/customFields", {"name": "Seats", "dataType": "TEXT"}, "customField"
    )
    await make("value", f"{location}/customValues", {"name": "Desk", "value": "3"}, "customValue")
    await make("tagId", f"{location}/tags", {"name": "silver"}, "tag")
    await make("businessId", "/businesses/", {**LOCATION, "name": "Hinode"}, "buiseness")
    await world.sandbox.control("POST", "/ghl/calendars", name="Walk-in", opens=False)
    field = {"customFields": [{"id": ids["field"], "field_value": ["3", "4"]}]}
    await world.sandbox.control(
        "PATCH", f"/ghl/{contact[1:]}", businessId=ids["businessId"], **field
    )
