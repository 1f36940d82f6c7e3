"""The location, its custom fields and values, tags, tasks, and appointments of its contacts."""

from tests.sandbox.calling import SandboxCaller


async def test_the_location_says_what_a_duplicate_is(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/settings", unique_identifiers=["phone"], country="US")

    location = (await sandbox.ghl("GET", f"/locations/{sandbox.location_id}")).json()["location"]

    assert location["settings"]["allowDuplicateContact"] is False
    assert location["settings"]["contactUniqueIdentifiers"] == ["phone"]
    assert (location["country"], location["timezone"]) == ("US", "Asia/Tokyo")


async def test_a_custom_field_lives(sandbox: SandboxCaller) -> None:
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


async def test_only_what_is_named_of_a_field_changes(sandbox: SandboxCaller) -> None:
    path = f"/locations/{sandbox.location_id}/customFields"
    boxes = {"textBoxListOptions": [{"label": "Lunch"}, {"label": "Dinner", "prefillValue": "2"}]}
    body = {"name": "Seats", "dataType": "TEXTBOX_LIST", "position": 7, **boxes}
    field = (await sandbox.ghl("POST", path, body)).json()["customField"]

    changed = await sandbox.ghl(
        "PUT", f"{path}/{field['id']}", {"name": "Places", "model": "opportunity"}
    )

    assert field["picklistOptions"] == ["Lunch", "Dinner"]
    assert changed.json()["customField"] == {**field, "name": "Places"}
    assert (await sandbox.ghl("GET", f"{path}?model=mood")).status_code == 422


async def test_tags_of_contacts_are_tags_of_the_location(sandbox: SandboxCaller) -> None:
    path = f"/locations/{sandbox.location_id}/tags"
    contact = await sandbox.create(firstName="Riku", tags=["VIP"])

    silver = (await sandbox.ghl("POST", path, {"name": "Silver"})).json()["tag"]
    twice = await sandbox.ghl("POST", path, {"name": "vip"})
    tags = {tag["name"]: tag["id"] for tag in (await sandbox.ghl("GET", path)).json()["tags"]}
    one = f"{path}/{tags['vip']}"
    renamed = await sandbox.ghl("PUT", one, {"name": "Gold"})

    assert tags.keys() == {"vip", "silver"}
    assert silver["name"] == "silver"
    assert (twice.status_code, twice.json()["message"]) == (400, "The tag name is already exist.")
    assert renamed.json()["tag"] == {**(await sandbox.ghl("GET", one)).json()["tag"]}
    assert (await sandbox.read(contact["id"]))["tags"] == ["gold"]
    assert (await sandbox.ghl("DELETE", one)).json()["succeded"] is True
    assert (await sandbox.read(contact["id"]))["tags"] == []
    assert [tag["name"] for tag in (await sandbox.ghl("GET", path)).json()["tags"]] == ["silver"]


async def test_a_custom_value_lives(sandbox: SandboxCaller) -> None:
    path = f"/locations/{sandbox.location_id}/customValues"

    created = await sandbox.ghl("POST", path, {"name": "Door code", "value": "1234"})
    value = created.json()["customValue"]
    one = f"{path}/{value['id']}"
    changed = await sandbox.ghl("PUT", one, {"name": "Door code", "value": "4321"})
    gap = await sandbox.ghl("PUT", one, {"name": "Door code"})

    assert created.status_code == 201
    assert value["fieldKey"] == "{{ custom_values.door_code }}"
    assert changed.json()["customValue"] == {**value, "value": "4321"}
    assert gap.status_code == 422
    assert (await sandbox.ghl("GET", path)).json()["customValues"] == [{**value, "value": "4321"}]
    assert (await sandbox.ghl("DELETE", one)).json()["succeded"] is True
    assert (await sandbox.ghl("GET", one)).status_code == 400


async def test_all_tasks_of_the_location_are_searched(sandbox: SandboxCaller) -> None:
    path, user = f"/locations/{sandbox.location_id}/tasks/search", sandbox.info.ghl.user_id
    riku, yui = [(await sandbox.create(firstName=name))["id"] for name in ("Riku", "Yui")]
    task = {"title": "Call", "dueDate": "2030-01-07T10:00:00Z", "completed": False}
    for contact_id, more in (
        (riku, {}),
        (riku, {"title": "Write", "assignedTo": user}),
        (yui, {"completed": True}),
    ):
        await sandbox.ghl("POST", f"/contacts/{contact_id}/tasks", {**task, **more})

    async def found(**wanted: object) -> list[str]:
        tasks = (await sandbox.ghl("POST", path, wanted)).json()["tasks"]
        return [f"{'riku' if one['contactId'] == riku else 'yui'} {one['title']}" for one in tasks]

    assert await found() == ["riku Call", "riku Write", "yui Call"]
    assert await found(contactId=[yui]) == ["yui Call"]
    assert await found(completed=False, query="call") == ["riku Call"]
    assert await found(assignedTo=[user]) == ["riku Write"]
    assert await found(skip=1, limit=1) == ["riku Write"]
    assert await found(businessId="none") == []
    assert (await sandbox.ghl("POST", path, {"limit": -1})).status_code == 422


async def test_a_page_of_tasks_has_twenty_five(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    task = {"title": "Call", "dueDate": "2030-01-07T10:00:00Z", "completed": False}
    for _ in range(26):
        await sandbox.ghl("POST", f"/contacts/{contact['id']}/tasks", task)

    path = f"/locations/{sandbox.location_id}/tasks/search"

    assert len((await sandbox.ghl("POST", path, {})).json()["tasks"]) == 25


async def test_an_appointment_lives_and_shows_on_its_contact(sandbox: SandboxCaller) -> None:
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
    moved = {
        "startTime": "2026-07-21T10:00:00+09:00",
        "endTime": "2026-07-21T10:30:00+09:00",
        "ignoreFreeSlotValidation": True,
    }

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


async def test_an_appointment_that_ends_before_it_begins_is_refused(sandbox: SandboxCaller) -> None:
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
