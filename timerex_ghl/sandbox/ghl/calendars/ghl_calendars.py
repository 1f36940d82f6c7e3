"""Calendars, and when they are free.

Source: the vendor's OpenAPI for calendars; answers recorded in July 2026: the list leaves keys out
that the single answer has, and a calendar without hours has `{}` instead of a list of them.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, cast

from timerex_ghl.sandbox.core.answers import ApiAnswer, not_found
from timerex_ghl.sandbox.core.body_checks import Check, one_of, text
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation

LIST: dict[str, Check] = {
    "locationId": text,
    "groupId": text,
    "showDrafted": one_of("true", "false"),
}


class Span(NamedTuple):
    """Two aware times in the location's zone."""

    begin: datetime
    end: datetime


def shape(call: PassedCall, calendar: Json) -> Json:
    """Shape a calendar for the list. One with hours has an owner and shows the team."""
    own = {key: value for key, value in calendar.items() if key != "team"}
    answer: Json = {
        **own,
        "locationId": call.ghl.location.id,
        "eventTitle": "{{contact.name}}",
        "eventColor": "#039BE5",
        "slotDurationUnit": "mins",
        "slotIntervalUnit": "mins",
        "slotBufferUnit": "mins",
        "preBufferUnit": "mins",
        "appointmentPerSlot": calendar["appoinmentPerSlot"],
        "enableRecurring": False,
        "autoConfirm": True,
        "allowReschedule": True,
        "allowCancellation": True,
        "availabilities": [],
    }
    return {**answer, "teamMembers": _team(calendar)} if calendar["team"] else answer


def _team(calendar: Json) -> list[Json]:
    return [
        {"userId": user_id, "priority": 0.5, "selected": True, "isZoomAdded": "false"}
        for user_id in calendar["team"]
    ]


def list_calendars(call: PassedCall) -> ApiAnswer:
    """Return all calendars; the sandbox has no groups."""
    query = call.read_query(LIST, "locationId")
    calendars = [] if query.get("groupId") else [*call.ghl.setup.calendars.values()]
    return ApiAnswer({"calendars": [shape(call, calendar) for calendar in calendars]})


def get_calendar(call: PassedCall) -> ApiAnswer:
    """Return one calendar, with what the list leaves out."""
    call.check_location(call.ghl.location.id)
    calendar = find_calendar(call, call.path["calendarId"])
    more: Json = {"slotBuffer": 0, "preBuffer": 0, "notifications": [], "guestType": "count_only"}
    return ApiAnswer(
        {"calendar": {**shape(call, calendar), "teamMembers": _team(calendar), **more}}
    )


def find_calendar(call: PassedCall, calendar_id: str) -> Json:
    """Find a calendar by its id."""
    calendar = call.ghl.setup.calendars.get(calendar_id)
    if calendar is None:
        raise not_found("Calendar", calendar_id)
    return calendar


def is_slot(calendar: Json, span: Span) -> bool:
    """Return whether a calendar offers this time: in its hours, at the start of an interval."""
    return any(
        span.begin.isoweekday() % 7 in hours["daysOfTheWeek"] and _is_inside(calendar, span, part)
        for hours in cast("list[Json]", calendar["openHours"] or [])
        for part in hours["hours"]
    )


def _is_inside(calendar: Json, span: Span, part: Json) -> bool:
    day = span.begin.replace(hour=0, minute=0, second=0, microsecond=0)
    opens = day + timedelta(hours=part["openHour"], minutes=part["openMinute"])
    closes = day + timedelta(hours=part["closeHour"], minutes=part["closeMinute"])
    interval = timedelta(minutes=calendar["slotInterval"])
    return opens <= span.begin and span.end <= closes and not (span.begin - opens) % interval


READ = "calendars.readonly"
OPERATIONS = (
    VendorOperation("get-calendars", "GET", "/calendars/", READ, list_calendars),
    VendorOperation("get-calendar", "GET", "/calendars/{calendarId}", READ, get_calendar),
)
