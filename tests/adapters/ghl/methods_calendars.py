"""Cases of the methods for calendars, appointments and users."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.adapters.ghl.case import MethodCase
from tests.adapters.ghl.line import RIKU
from timerex_ghl.adapters.ghl.calendars import MoreOfAppointment
from timerex_ghl.domain.shared.ghl_models import GhlAppointmentId, GhlCalendarId, GhlUserId

EVENT, KANA = GhlAppointmentId("event1"), GhlUserId("kana1")
CALENDARS = "2021-04-15"
AT = datetime(2026, 2, 10, 1, tzinfo=UTC)
BOOKED = {
    "id": "event1",
    "calendarId": "cal1",
    "contactId": "riku1",
    "title": "Onboarding",
    "appointmentStatus": "confirmed",
    "appoinmentStatus": "confirmed",
    "status": "booked",
}
APPOINTMENT: MoreOfAppointment = {
    "ends_at": AT,
    "title": "Onboarding",
    "status": "confirmed",
    "assigned_to": KANA,
    "address": "Tokyo",
    "description": "Tea",
    "notifies": False,
    "ignores_slots": True,
}
APPOINTMENT_SENT = {
    "endTime": "2026-02-10T01:00:00.000Z",
    "title": "Onboarding",
    "appointmentStatus": "confirmed",
    "assignedUserId": "kana1",
    "address": "Tokyo",
    "description": "Tea",
    "toNotify": False,
    "ignoreFreeSlotValidation": True,
}

CALENDAR_CASES = {
    "list_calendars": MethodCase(
        lambda ghl: ghl.list_calendars(),
        "GET",
        "/calendars/",
        {"calendars": [{"id": "cal1", "name": "Onboarding", "slotDuration": 30}]},
        lambda found: [(one.id, one.name, one.is_active, one.slot_minutes) for one in found],
        [("cal1", "Onboarding", True, 30)],
        query={"locationId": "locAoba"},
        version=CALENDARS,
    ),
    "list_contact_appointments": MethodCase(
        lambda ghl: ghl.list_contact_appointments(RIKU, ZoneInfo("Asia/Tokyo")),
        "GET",
        "/contacts/riku1/appointments",
        {"events": [{**BOOKED, "startTime": "2026-02-10 10:00:00", "endTime": "never"}]},
        lambda found: [(one.id, one.status, one.starts_at, one.ends_at) for one in found],
        [("event1", "confirmed", AT, None)],
    ),
    "list_events": MethodCase(
        lambda ghl: ghl.list_events(GhlCalendarId("cal1"), AT, AT + timedelta(hours=1)),
        "GET",
        "/calendars/events",
        {
            "events": [
                {**BOOKED, "startTime": "2026-02-10T10:00:00+09:00", "endTime": 1770687000000},
                {**BOOKED, "startTime": "2026-02-10 10:00:00", "endTime": "never"},
            ]
        },
        lambda found: [(one.id, one.status, one.starts_at, one.ends_at) for one in found],
        [
            ("event1", "confirmed", AT, AT + timedelta(minutes=30)),
            ("event1", "confirmed", None, None),
        ],
        query={
            "locationId": "locAoba",
            "calendarId": "cal1",
            "startTime": "1770685200000",
            "endTime": "1770688800000",
        },
        version=CALENDARS,
    ),
    "get_appointment": MethodCase(
        lambda ghl: ghl.get_appointment(EVENT),
        "GET",
        "/calendars/events/appointments/event1",
        {"appointment": {**BOOKED, "startTime": "2026-02-10T10:00:00+09:00", "deleted": True}},
        lambda found: (found.starts_at, found.deleted),
        (AT, True),
        version=CALENDARS,
    ),
    "create_appointment": MethodCase(
        lambda ghl: ghl.create_appointment(
            calendar_id=GhlCalendarId("cal1"),
            contact_id=RIKU,
            starts_at=AT,
            assigned_to=KANA,
            notifies=False,
            ignores_slots=True,
        ),
        "POST",
        "/calendars/events/appointments",
        BOOKED,
        lambda found: (found.id, found.calendar_id, found.starts_at),
        ("event1", "cal1", None),
        body={
            "locationId": "locAoba",
            "calendarId": "cal1",
            "contactId": "riku1",
            "startTime": "2026-02-10T01:00:00.000Z",
            "assignedUserId": "kana1",
            "toNotify": False,
            "ignoreFreeSlotValidation": True,
        },
        version=CALENDARS,
    ),
    "create_appointment, with all there is": MethodCase(
        lambda ghl: ghl.create_appointment(
            calendar_id=GhlCalendarId("cal1"), contact_id=RIKU, starts_at=AT, **APPOINTMENT
        ),
        "POST",
        "/calendars/events/appointments",
        BOOKED,
        lambda found: found.id,
        "event1",
        body={
            "locationId": "locAoba",
            "calendarId": "cal1",
            "contactId": "riku1",
            "startTime": "2026-02-10T01:00:00.000Z",
            **APPOINTMENT_SENT,
        },
        version=CALENDARS,
    ),
    "update_appointment, with all there is": MethodCase(
        lambda ghl: ghl.update_appointment(EVENT, starts_at=AT, **APPOINTMENT),
        "PUT",
        "/calendars/events/appointments/event1",
        BOOKED,
        lambda found: found.id,
        "event1",
        body={"startTime": "2026-02-10T01:00:00.000Z", **APPOINTMENT_SENT},
        version=CALENDARS,
    ),
    "update_appointment": MethodCase(
        lambda ghl: ghl.update_appointment(EVENT, status="cancelled"),
        "PUT",
        "/calendars/events/appointments/event1",
        {**BOOKED, "appointmentStatus": "cancelled"},
        lambda found: found.status,
        "cancelled",
        body={"appointmentStatus": "cancelled"},
        version=CALENDARS,
    ),
    "delete_appointment": MethodCase(
        lambda ghl: ghl.delete_appointment(EVENT),
        "DELETE",
        "/calendars/events/event1",
        {"succeeded": True},
        lambda _: None,
        None,
        body={},
        version=CALENDARS,
    ),
    "list_users": MethodCase(
        lambda ghl: ghl.list_users(),
        "GET",
        "/users/",
        {
            "users": [
                {"id": "kana1", "firstName": "Kana", "lastName": "Mori", "email": "K@a.example"}
            ]
        },
        lambda users: [(one.id, one.name, one.email) for one in users],
        [("kana1", "Kana Mori", "k@a.example")],
        query={"locationId": "locAoba"},
    ),
}
