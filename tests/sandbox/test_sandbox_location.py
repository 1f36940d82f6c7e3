"""The location, its custom fields, and appointments."""

from tests.sandbox.calling import Caller


async def test_the_location_says_what_a_duplicate_is(sandbox: Caller) -> None:
    await sandbox.control("POST", "/ghl/settings", unique_identifiers=["phone"], country="US")

    location = (await sandbox.ghl("GET", f"/locations/{sandbox.location_id}")).json()["location"]

    assert location["settings"]["allowDuplicateContact"] is False
    assert location["settings"]["contactUniqueIdentifiers"] == ["phone"]
    assert (location["country"], location["timezone"]) == ("US", "Asia/Tokyo")


async def test_a_custom_field_lives(sandbox: Caller) -> None:
    path = f"/locations/{sandbox.location_id}/customFields"
    body = {"name": "Seats, wanted", "dataType": "TEXT", "model": "contact"}

    created = await sandbox.ghl("POST", path, body)
    field = created.json()["customField"]
    one = f"{path}/{field['id']}"
    renamed = await sandbox.ghl("PUT", one, {"name": "Seats"})
    typed = await sandbox.ghl("PUT", one, {"name": "Seats", "dataType": "NUMERICAL"})

    assert created.status_code == 201
    assert field["fieldKey"] == "contact.seats_wanted"
    assert renamed.json()["customField"] == {**field, "name": "Seats"}
    assert typed.status_code == 422
    assert [f["id"] for f in (await sandbox.ghl("GET", path)).json()["customFields"]] == [
        field["id"]
    ]
    assert (await sandbox.ghl("GET", one)).json()["customField"]["name"] == "Seats"
    assert (await sandbox.ghl("DELETE", one)).json()["succeded"] is True
    assert (await sandbox.ghl("GET", one)).status_code == 400


async def test_an_appointment_lives_and_shows_on_its_contact(sandbox: Caller) -> None:
    contact = await sandbox.create(firstName="Riku", lastName="Sato")
    body = {
        "calendarId": sandbox.info.ghl.calendar_id,
        "locationId": sandbox.location_id,
        "contactId": contact["id"],
        "startTime": "2026-07-20T10:00:00+09:00",
        "endTime": "2026-07-20T10:30:00+09:00",
        "toNotify": False,
        "ignoreFreeSlotValidation": True,
    }

    made = (await sandbox.ghl("POST", "/calendars/events/appointments", body)).json()
    one = f"/calendars/events/appointments/{made['id']}"
    of_contact = f"/contacts/{contact['id']}/appointments"
    moved = {"startTime": "2026-07-21T10:00:00+09:00", "endTime": "2026-07-21T10:30:00+09:00"}

    assert made["title"] == "Riku Sato"
    assert made["appointmentStatus"] == made["appoinmentStatus"] == "confirmed"
    assert (await sandbox.ghl("PUT", one, moved)).status_code == 200
    event = (await sandbox.ghl("GET", of_contact)).json()["events"][0]
    assert (event["startTime"], event["endTime"]) == ("2026-07-21 10:00:00", "2026-07-21 10:30:00")
    cancelled = await sandbox.ghl("PUT", one, {"appointmentStatus": "cancelled"})
    assert cancelled.json()["appointmentStatus"] == "cancelled"
    deleted = await sandbox.ghl("DELETE", f"/calendars/events/{made['id']}")
    assert deleted.json()["succeeded"] is True
    assert (await sandbox.ghl("GET", one)).json()["appointment"]["deleted"] is True
    assert (await sandbox.ghl("GET", of_contact)).json()["events"] == []


async def test_an_appointment_that_ends_before_it_begins_is_refused(sandbox: Caller) -> None:
    contact = await sandbox.create(firstName="Riku")
    body = {
        "calendarId": sandbox.info.ghl.calendar_id,
        "locationId": sandbox.location_id,
        "contactId": contact["id"],
        "startTime": "2026-07-20T10:00:00Z",
        "endTime": "2026-07-20T09:00:00Z",
    }

    answer = await sandbox.ghl("POST", "/calendars/events/appointments", body)

    assert answer.status_code == 400
    events = await sandbox.ghl("GET", f"/contacts/{contact['id']}/appointments")
    assert events.json()["events"] == []
