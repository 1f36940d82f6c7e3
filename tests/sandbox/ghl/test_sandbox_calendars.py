"""Calendars, their slots, appointments and the notes of these."""

from datetime import datetime
from urllib.parse import urlencode

import httpx
import pytest

from tests.sandbox.calling import SandboxCaller

EVENTS = "/calendars/events/appointments"
MONDAY = "2030-01-07"
MONDAY_MS = int(datetime.fromisoformat(f"{MONDAY}T00:00:00+09:00").timestamp() * 1000)
DAY_MS = 24 * 60 * 60 * 1000


def body(
    sandbox: SandboxCaller, contact_id: str, begin: str, end: str, **more: object
) -> dict[str, object]:
    return {
        "calendarId": sandbox.info.ghl.calendar_id,
        "locationId": sandbox.location_id,
        "contactId": contact_id,
        "startTime": f"{MONDAY}T{begin}:00+09:00",
        "endTime": f"{MONDAY}T{end}:00+09:00",
        **more,
    }


async def book(
    sandbox: SandboxCaller, begin: str, end: str, **more: object
) -> tuple[int, dict[str, str]]:
    contact = await sandbox.create(firstName="Riku")
    answer = await sandbox.ghl("POST", EVENTS, body(sandbox, contact["id"], begin, end, **more))
    return answer.status_code, answer.json()


async def test_a_calendar_without_hours_has_an_object_instead_of_a_list(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/calendars", name="Walk-in", opens=False)

    path = f"/calendars/?locationId={sandbox.location_id}"
    usual, walk_in = (await sandbox.ghl("GET", path)).json()["calendars"]
    one = (await sandbox.ghl("GET", f"/calendars/{walk_in['id']}")).json()["calendar"]

    assert usual["id"] == sandbox.info.ghl.calendar_id
    assert usual["openHours"][0]["hours"][0]["openHour"] == 9
    assert usual["teamMembers"][0]["userId"] == sandbox.info.ghl.user_id
    assert walk_in["openHours"] == {}
    assert walk_in["appoinmentPerSlot"] == walk_in["appointmentPerSlot"] == 1
    assert "teamMembers" not in walk_in
    assert one["teamMembers"] == []


async def test_calendars_answer_to_both_versions(sandbox: SandboxCaller) -> None:
    path = f"/calendars/?locationId={sandbox.location_id}"

    for version in ("2021-04-15", "2021-07-28"):
        assert (await sandbox.ghl("GET", path, version=version)).status_code == 200


@pytest.mark.parametrize(
    ("begin", "end"),
    [("08:30", "09:00"), ("17:30", "18:30"), ("10:10", "10:40"), ("23:30", "23:45")],
)
async def test_a_time_outside_the_slots_is_refused_unless_slots_are_ignored(
    sandbox: SandboxCaller, begin: str, end: str
) -> None:
    refused, said = await book(sandbox, begin, end)
    taken, _ = await book(sandbox, begin, end, ignoreFreeSlotValidation=True)

    assert (refused, taken) == (400, 200)
    assert said["message"] == "The slot you have selected is no longer available."


async def test_a_time_in_the_past_is_refused_unless_the_range_is_ignored(
    sandbox: SandboxCaller,
) -> None:
    past = {"startTime": "2020-01-06T10:00:00+09:00", "endTime": "2020-01-06T10:30:00+09:00"}

    refused, _ = await book(sandbox, "10:00", "10:30", **past)
    taken, _ = await book(sandbox, "10:00", "10:30", **past, ignoreDateRange=True)

    assert (refused, taken) == (400, 200)


async def test_a_taken_slot_is_refused_until_it_is_cancelled(sandbox: SandboxCaller) -> None:
    _, first = await book(sandbox, "10:00", "10:30")
    taken, _ = await book(sandbox, "10:00", "11:00")
    beside, _ = await book(sandbox, "10:30", "11:00")
    await sandbox.ghl("PUT", f"{EVENTS}/{first['id']}", {"appointmentStatus": "cancelled"})
    again, _ = await book(sandbox, "10:00", "10:30")

    assert (taken, beside, again) == (400, 200, 200)


async def test_an_appointment_keeps_its_own_slot(sandbox: SandboxCaller) -> None:
    _, made = await book(sandbox, "10:00", "10:30")
    longer = {"endTime": f"{MONDAY}T11:00:00+09:00"}

    assert (await sandbox.ghl("PUT", f"{EVENTS}/{made['id']}", longer)).status_code == 200


async def test_times_are_read_in_the_locations_zone(sandbox: SandboxCaller) -> None:
    _, made = await book(sandbox, "10:00", "10:30", startTime=f"{MONDAY}T01:00:00Z")

    read = (await sandbox.ghl("GET", f"{EVENTS}/{made['id']}")).json()["appointment"]

    assert read["startTime"] == f"{MONDAY}T10:00:00+09:00"
    assert "startTime" not in made
    assert (read["appointmentStatus"], made["status"]) == (read["appoinmentStatus"], "booked")


async def test_half_an_hour_that_crosses_the_end_of_summer_time_is_one(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/settings", timezone="Europe/Berlin")
    night = {"startTime": "2030-10-27T00:45:00Z", "endTime": "2030-10-27T01:15:00Z"}

    status, _ = await book(sandbox, "10:00", "10:30", **night, ignoreFreeSlotValidation=True)

    assert status == 200


async def test_only_somebody_of_the_calendars_team_is_assigned(sandbox: SandboxCaller) -> None:
    refused, said = await book(sandbox, "10:00", "10:30", assignedUserId="somebody")
    _, made = await book(sandbox, "10:00", "10:30")

    assert refused == 400
    assert said["message"] == "The user id not part of calendar team."
    assert made["assignedUserId"] == sandbox.info.ghl.user_id


async def test_a_deleted_appointment_can_still_be_read(sandbox: SandboxCaller) -> None:
    _, made = await book(sandbox, "10:00", "10:30")

    deleted = await sandbox.ghl("DELETE", f"/calendars/events/{made['id']}", {})

    assert (deleted.status_code, deleted.json()["succeeded"]) == (200, True)
    read = (await sandbox.ghl("GET", f"{EVENTS}/{made['id']}")).json()["appointment"]
    assert read["deleted"] is True
    assert (await book(sandbox, "10:00", "10:30"))[0] == 200


async def listed(sandbox: SandboxCaller, **query: object) -> httpx.Response:
    monday = {"startTime": MONDAY_MS, "endTime": MONDAY_MS + DAY_MS}
    asked = {"locationId": sandbox.location_id, **monday, **query}
    return await sandbox.ghl("GET", f"/calendars/events?{urlencode(asked)}")


async def test_a_calendars_list_shows_what_begins_in_a_time_but_nothing_deleted(
    sandbox: SandboxCaller,
) -> None:
    calendar_id = sandbox.info.ghl.calendar_id
    _, gone = await book(sandbox, "10:00", "10:30")
    _, cancelled = await book(sandbox, "11:00", "11:30")
    _, stands = await book(sandbox, "12:00", "12:30")
    later = {"startTime": "2030-01-08T10:00:00+09:00", "endTime": "2030-01-08T10:30:00+09:00"}
    await book(sandbox, "10:00", "10:30", **later)
    await sandbox.ghl("DELETE", f"/calendars/events/{gone['id']}", {})
    await sandbox.ghl("PUT", f"{EVENTS}/{cancelled['id']}", {"appointmentStatus": "cancelled"})

    found = (await listed(sandbox, calendarId=calendar_id)).json()["events"]
    of_user = (await listed(sandbox, userId=sandbox.info.ghl.user_id)).json()["events"]
    of_group = (await listed(sandbox, groupId="group1")).json()["events"]

    assert [(one["id"], one["appointmentStatus"]) for one in found] == [
        (cancelled["id"], "cancelled"),
        (stands["id"], "confirmed"),
    ]
    assert found[0]["startTime"] == f"{MONDAY}T11:00:00+09:00"
    assert (of_user, of_group) == (found, [])


async def test_a_list_of_nobodys_events_is_refused(sandbox: SandboxCaller) -> None:
    calendar_id = sandbox.info.ghl.calendar_id

    whose = await listed(sandbox)
    when = await listed(sandbox, calendarId=calendar_id, startTime="monday")
    where = await listed(sandbox, calendarId=calendar_id, locationId="another")

    assert (whose.status_code, when.status_code, where.status_code) == (400, 422, 403)
    assert whose.json()["message"] == "Either of calendarId, userId or groupId is required"


async def test_an_appointments_note_shows_on_the_contact_too(sandbox: SandboxCaller) -> None:
    _, made = await book(sandbox, "10:00", "10:30")
    notes, of_contact = (
        f"/calendars/appointments/{made['id']}/notes",
        f"/contacts/{made['contactId']}/notes",
    )
    await sandbox.ghl("POST", of_contact, {"body": "Of the contact alone"})

    created = await sandbox.ghl("POST", notes, {"body": "<p>Tea</p>"})
    note = created.json()["note"]
    listed = await sandbox.ghl("GET", f"{notes}?limit=20&offset=0")
    beside = [n["body"] for n in (await sandbox.ghl("GET", of_contact)).json()["notes"]]
    await sandbox.ghl("PUT", f"{notes}/{note['id']}", {"body": "Coffee"})
    changed = (await sandbox.ghl("GET", f"{of_contact}/{note['id']}")).json()["note"]
    await sandbox.ghl("DELETE", f"{notes}/{note['id']}")

    assert listed.json()["notes"] == [note]
    assert listed.json()["hasMore"] is False
    assert beside == ["Of the contact alone", "<p>Tea</p>"]
    assert (changed["body"], changed["bodyText"]) == ("Coffee", "Coffee")
    assert len((await sandbox.ghl("GET", of_contact)).json()["notes"]) == 1


async def test_an_appointments_notes_come_in_pages_of_twenty(sandbox: SandboxCaller) -> None:
    _, made = await book(sandbox, "10:00", "10:30")
    notes = f"/calendars/appointments/{made['id']}/notes"
    for number in range(3):
        await sandbox.ghl("POST", notes, {"body": str(number)})

    page = (await sandbox.ghl("GET", f"{notes}?limit=2&offset=0")).json()

    assert ([note["body"] for note in page["notes"]], page["hasMore"]) == (["2", "1"], True)
    assert (await sandbox.ghl("GET", f"{notes}?limit=21&offset=0")).status_code == 422
    assert (await sandbox.ghl("GET", notes)).status_code == 422
    assert (await sandbox.ghl("POST", notes, {"body": "x" * 5001})).status_code == 422
