"""Appointments: create, read, change, delete, list by contact, and list by calendar and time.

Source: the vendor's OpenAPI for calendars and contacts; answers recorded in July 2026.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from timerex_ghl.sandbox.core import body_checks
from timerex_ghl.sandbox.core.answers import ApiAnswer, RefusalError, not_found
from timerex_ghl.sandbox.core.body_checks import Check, check_body
from timerex_ghl.sandbox.core.json_io import Json, iso_ms, new_id, now_ms, parse_ms
from timerex_ghl.sandbox.ghl.calendars.ghl_calendars import Span, find_calendar, is_slot
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import ONE
from timerex_ghl.sandbox.ghl.contacts.ghl_contacts import READ as READ_CONTACTS
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

TEXTS = ("title", "description", "address", "assignedUserId", "meetingLocationId", "rrule")
FLAGS = ("ignoreDateRange", "toNotify", "ignoreFreeSlotValidation", "overrideLocationConfig")
PLACES = ("custom", "zoom", "gmeet", "phone", "address", "ms_teams", "google")
CHANGE: dict[str, Check] = {
    "calendarId": body_checks.filled,
    "startTime": body_checks.date,
    "endTime": body_checks.date,
    "appointmentStatus": body_checks.one_of(
        "new", "confirmed", "cancelled", "showed", "noshow", "invalid"
    ),
    "meetingLocationType": body_checks.one_of(*PLACES),
    **dict.fromkeys(TEXTS, body_checks.text),
    **dict.fromkeys(FLAGS, body_checks.flag),
}
CREATE = {**CHANGE, "locationId": body_checks.filled, "contactId": body_checks.filled}
KEPT = {"calendarId", "title", "address", "assignedUserId", "description", "appointmentStatus"}
TIMES = {"calendarId", "startTime", "endTime"}
HIDDEN = {"startTime", "endTime", "createdBy", "deleted", "toNotify"}
FREES = {"cancelled", "noshow", "invalid"}
OWNERS = {"calendarId": "calendarId", "userId": "assignedUserId", "groupId": "groupId"}
LIST: dict[str, Check] = {
    "locationId": body_checks.filled,
    "startTime": body_checks.digits,
    "endTime": body_checks.digits,
    **dict.fromkeys(OWNERS, body_checks.filled),
}


def create_appointment(call: PassedCall) -> ApiAnswer:
    """Make an appointment. The answer has the status twice, once misspelt, and no times."""
    body, ghl = call.body, call.ghl
    check_body(body, CREATE, ["calendarId", "locationId", "contactId", "startTime"])
    call.check_location(body["locationId"])
    contact = ghl.contacts.by_id.get(body["contactId"])
    if contact is None:
        raise not_found("Contact", body["contactId"])
    event: Json = {
        "id": new_id(),
        "locationId": ghl.location.id,
        "contactId": contact.id,
        "title": contact.full_name,
        "address": "",
        "appointmentStatus": "confirmed",
        "dateAdded": iso_ms(now_ms()),
        "isRecurring": False,
        "createdBy": {"source": "third_party", "userId": None},
        "deleted": False,
    }
    answer = _write(call, event)
    ghl.appointments[event["id"]] = event
    return answer


def update_appointment(call: PassedCall) -> ApiAnswer:
    """Change what the body names. A cancel is a change of the status."""
    event = _event(call)
    check_body(call.body, CHANGE)
    return _write(call, event)


def get_appointment(call: PassedCall) -> ApiAnswer:
    """Return one appointment, also a deleted one."""
    event = _event(call)
    shape: Json = {**event, "appoinmentStatus": event["appointmentStatus"], "assignedResources": []}
    return ApiAnswer({"appointment": shape})


def delete_event(call: PassedCall) -> ApiAnswer:
    """Mark an appointment deleted."""
    _event(call).update(deleted=True, dateUpdated=iso_ms(now_ms()))
    return ApiAnswer({"succeeded": True})


def list_of_contact(call: PassedCall) -> ApiAnswer:
    """Return a contact's appointments, with local times that have no offset."""
    contact = call.contact()
    events: list[Json] = [
        {
            "groupId": "",
            "users": [],
            "notes": "",
            **event,
            "status": "booked",
            "startTime": _local(event["startTime"]),
            "endTime": _local(event["endTime"]),
        }
        for event in call.ghl.appointments.values()
        if event["contactId"] == contact.id and not event["deleted"]
    ]
    return ApiAnswer({"events": events})


def list_events(call: PassedCall) -> ApiAnswer:
    """Return events that start in a time range, unpaged: with cancelled, without deleted ones."""
    query = call.read_query(LIST, "locationId", "startTime", "endTime")
    wanted = {OWNERS[name]: query[name] for name in OWNERS.keys() & query.keys()}
    if not wanted:
        raise RefusalError(400, "Either of calendarId, userId or groupId is required")
    begin, end = int(query["startTime"]), int(query["endTime"])
    events: list[Json] = [
        {"groupId": "", "users": [], **event, "assignedResources": []}
        for event in call.ghl.appointments.values()
        if not event["deleted"]
        and begin <= (parse_ms(event["startTime"]) or 0) <= end
        and all(event.get(key) == value for key, value in wanted.items())
    ]
    return ApiAnswer({"events": events})


def _event(call: PassedCall) -> Json:
    event = call.ghl.appointments.get(call.path["eventId"])
    if event is None:
        raise not_found("Appointment", call.path["eventId"])
    call.check_location(event["locationId"])
    return event


def _write(call: PassedCall, event: Json) -> ApiAnswer:
    """Apply a checked body to an appointment, if the calendar allows its time."""
    body = call.body
    changed = {**event, **{key: value for key, value in body.items() if key in KEPT}}
    calendar = find_calendar(call, changed["calendarId"])
    span = _span(call, {**event, **body}, calendar)
    if (
        calendar["team"]
        and changed.setdefault("assignedUserId", calendar["team"][0]) not in (calendar["team"])
    ):
        raise RefusalError(400, "The user id not part of calendar team.")
    if body.keys() & TIMES and not body.get("ignoreFreeSlotValidation"):
        _refuse_taken(call, calendar, span, event["id"])
    event.update(changed, startTime=span.begin.isoformat(), endTime=span.end.isoformat())
    event["dateUpdated"] = iso_ms(now_ms())
    shape = {key: value for key, value in event.items() if key not in HIDDEN}
    twice = {"status": "booked", "appoinmentStatus": event["appointmentStatus"]}
    return ApiAnswer({**shape, **twice})


def _span(call: PassedCall, wanted: Json, calendar: Json) -> Span:
    """Read the times, in the location's zone. Without an end, one slot long."""
    zone = ZoneInfo(call.ghl.location.timezone)
    begin = _at(wanted["startTime"], zone)
    slot = timedelta(minutes=calendar["slotDuration"])
    end = _at(wanted["endTime"], zone) if "endTime" in wanted else begin + slot
    if end.timestamp() <= begin.timestamp():  # the zone's clock may have been set back in between
        raise RefusalError(400, "endTime must be after startTime")
    return Span(begin, end)


def _at(time: str, zone: ZoneInfo) -> datetime:
    at_ms = parse_ms(time) or 0
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)


def _refuse_taken(call: PassedCall, calendar: Json, span: Span, own_id: str) -> None:
    """Refuse a time the calendar does not offer, one in the past, and one that is full."""
    others = [
        event
        for event in call.ghl.appointments.values()
        if event["calendarId"] == calendar["id"]
        and event["id"] != own_id
        and not event["deleted"]
        and event["appointmentStatus"] not in FREES
        and datetime.fromisoformat(event["startTime"]) < span.end
        and span.begin < datetime.fromisoformat(event["endTime"])
    ]
    past = span.begin < datetime.now(UTC) and not call.body.get("ignoreDateRange")
    if past or not is_slot(calendar, span) or len(others) >= calendar["appoinmentPerSlot"]:
        raise RefusalError(400, "The slot you have selected is no longer available.")


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S}"


READ, WRITE = "calendars/events.readonly", "calendars/events.write"
EVENTS, EVENT = "/calendars/events/appointments", "/calendars/events/appointments/{eventId}"
OPERATIONS = (
    VendorOperation("create-appointment", "POST", EVENTS, WRITE, create_appointment),
    VendorOperation("edit-appointment", "PUT", EVENT, WRITE, update_appointment),
    VendorOperation("get-appointment", "GET", EVENT, READ, get_appointment),
    VendorOperation("delete-event", "DELETE", "/calendars/events/{eventId}", WRITE, delete_event),
    VendorOperation("get-calendar-events", "GET", "/calendars/events", READ, list_events),
    VendorOperation(
        "get-appointments-for-contact", "GET", f"{ONE}/appointments", READ_CONTACTS, list_of_contact
    ),
)
