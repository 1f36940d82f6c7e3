"""Appointments: create, read, change, delete, and those of a contact.

Source: the vendor's OpenAPI for calendars and contacts; answers recorded in July 2026. The
calendar of the sandbox is open at all hours.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from timerex_ghl.sandbox import checks
from timerex_ghl.sandbox.answers import Answer, RefusalError, not_found
from timerex_ghl.sandbox.checks import Check, check_body
from timerex_ghl.sandbox.ghl_contacts import ONE
from timerex_ghl.sandbox.ghl_contacts import READ as READ_CONTACTS
from timerex_ghl.sandbox.operations import Call, Operation
from timerex_ghl.sandbox.wire import Json, iso_ms, new_id, now_ms, parse_ms

STATUSES = {"new", "confirmed", "cancelled", "showed", "noshow", "invalid"}
TEXTS = {
    "title",
    "description",
    "address",
    "assignedUserId",
    "meetingLocationType",
    "meetingLocationId",
    "rrule",
}
FLAGS = {"ignoreDateRange", "toNotify", "ignoreFreeSlotValidation", "overrideLocationConfig"}
HOUR_MS = 3_600_000


def status(key: str, value: object) -> str | None:
    """Want a known status."""
    known = ", ".join(sorted(STATUSES))
    return None if value in STATUSES else f"{key} must be one of the following values: {known}"


CHANGE: dict[str, Check] = {
    "calendarId": checks.filled,
    "startTime": checks.date,
    "endTime": checks.date,
    "appointmentStatus": status,
    **dict.fromkeys(TEXTS, checks.text),
    **dict.fromkeys(FLAGS, checks.flag),
}
CREATE = {**CHANGE, "locationId": checks.filled, "contactId": checks.filled}
KEPT = {"calendarId", "startTime", "endTime", "title", "address", "assignedUserId", "description"}


def create_appointment(call: Call) -> Answer:
    """Make an appointment. The answer carries the status twice, once misspelt, and no times."""
    body = call.body
    check_body(body, CREATE, ["calendarId", "locationId", "contactId", "startTime"])
    call.check_location(body["locationId"])
    contact = call.ghl.contacts.by_id.get(body["contactId"])
    if contact is None:
        raise not_found("Contact", body["contactId"])
    if body["calendarId"] != call.ghl.calendar_id:
        raise not_found("Calendar", body["calendarId"])
    at_ms = now_ms()
    event: Json = {
        "id": new_id(),
        "locationId": call.ghl.location.id,
        "contactId": contact.id,
        "title": contact.full_name,
        "address": "",
        "appointmentStatus": "confirmed",
        "endTime": iso_ms((parse_ms(body["startTime"]) or 0) + HOUR_MS),
        "dateAdded": iso_ms(at_ms),
        "isRecurring": False,
        "createdBy": {"source": "third_party", "userId": None},
        "deleted": False,
    }
    answer = Answer(_written(event, body))
    call.ghl.appointments[event["id"]] = event
    return answer


def update_appointment(call: Call) -> Answer:
    """Change what the body names. A cancel is a change of the status."""
    event = _event(call)
    check_body(call.body, CHANGE)
    return Answer(_written(event, call.body))


def get_appointment(call: Call) -> Answer:
    """Give one appointment, a deleted one too."""
    event = _event(call)
    shape: Json = {**event, "appoinmentStatus": event["appointmentStatus"], "assignedResources": []}
    return Answer({"appointment": shape})


def delete_event(call: Call) -> Answer:
    """Mark an appointment deleted."""
    _event(call)["deleted"] = True
    return Answer({"succeeded": True})


def list_of_contact(call: Call) -> Answer:
    """Give a contact's appointments, with local times that have no offset."""
    contact, zone = call.contact(), ZoneInfo(call.ghl.location.timezone)
    events: list[Json] = [
        {
            **event,
            "status": "booked",
            "startTime": _local(event["startTime"], zone),
            "endTime": _local(event["endTime"], zone),
            "groupId": "",
            "users": [],
            "notes": "",
        }
        for event in call.ghl.appointments.values()
        if event["contactId"] == contact.id and not event["deleted"]
    ]
    return Answer({"events": events})


def _event(call: Call) -> Json:
    event = call.ghl.appointments.get(call.path["eventId"])
    if event is None:
        raise not_found("Appointment", call.path["eventId"])
    call.check_location(event["locationId"])
    return event


def _written(event: Json, body: Json) -> Json:
    """Put a body into an appointment and give the answer to a write."""
    changed = {**event, **{key: value for key, value in body.items() if key in KEPT}}
    if (parse_ms(changed["endTime"]) or 0) <= (parse_ms(changed["startTime"]) or 0):
        raise RefusalError(400, "endTime must be after startTime")
    event.update(changed)
    event["appointmentStatus"] = body.get("appointmentStatus", event["appointmentStatus"])
    event["dateUpdated"] = iso_ms(now_ms())
    hidden = {"startTime", "endTime", "createdBy", "deleted"}
    shape = {key: value for key, value in event.items() if key not in hidden}
    return {**shape, "status": "booked", "appoinmentStatus": event["appointmentStatus"]}


def _local(time: str, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp((parse_ms(time) or 0) / 1000, UTC)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


READ, WRITE = "calendars/events.readonly", "calendars/events.write"
EVENTS, EVENT = "/calendars/events/appointments", "/calendars/events/appointments/{eventId}"
OPERATIONS = (
    Operation("create-appointment", "POST", EVENTS, WRITE, create_appointment),
    Operation("edit-appointment", "PUT", EVENT, WRITE, update_appointment),
    Operation("get-appointment", "GET", EVENT, READ, get_appointment),
    Operation("delete-event", "DELETE", "/calendars/events/{eventId}", WRITE, delete_event),
    Operation(
        "get-appointments-for-contact", "GET", f"{ONE}/appointments", READ_CONTACTS, list_of_contact
    ),
)
