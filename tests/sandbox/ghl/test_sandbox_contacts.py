"""Contacts in the sandbox: as in the vendor's recorded answers and reference."""

import pytest

from tests.sandbox.calling import SandboxCaller
from timerex_ghl.sandbox.ghl.contacts.contact_store import Contacts, SandboxContact


async def test_a_created_contact_has_the_locations_country_and_a_shape_of_its_own(
    sandbox: SandboxCaller,
) -> None:
    created = await sandbox.create(firstName="Riku", email="Riku@Hinode.example")

    assert created["country"] == "JP"
    assert (created["email"], created["emailLowerCase"]) == (
        "Riku@Hinode.example",
        "riku@hinode.example",
    )
    assert created["lastUpdatedBy"]["source"] == "INTEGRATION"
    assert created["deleted"] is False


async def test_a_read_leaves_out_what_is_empty(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(firstName="Riku")

    contact = await sandbox.read(created["id"])

    assert contact["firstName"] == "Riku"
    assert contact["firstNameLowerCase"] == "riku"
    assert contact["additionalEmails"] == []
    assert not contact.keys() & {"lastName", "email", "phone", "lastUpdatedBy", "companyName"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("090-1234-5678", "+819012345678"),
        ("+1 212 555 0123", "+12125550123"),
        ("ask Mori", "ask Mori"),
    ],
)
async def test_a_phone_is_stored_as_e164_where_it_parses(
    sandbox: SandboxCaller, sent: str, stored: str
) -> None:
    assert (await sandbox.create(phone=sent))["phone"] == stored


async def test_a_whole_name_is_split_at_its_first_space(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(name="Sato Riku Jr")

    assert (created["firstName"], created["lastName"]) == ("Sato", "Riku Jr")


async def test_an_update_changes_what_it_names_and_moves_date_updated(
    sandbox: SandboxCaller,
) -> None:
    created = await sandbox.create(firstName="Riku", lastName="Sato", city="Osaka")

    answer = await sandbox.ghl(
        "PUT", f"/contacts/{created['id']}", {"firstName": "Rikuto", "city": None}
    )

    body = answer.json()
    assert (body["succeded"], body["succeeded"]) == (True, True)
    assert body["contact"]["firstName"] == "Rikuto"
    assert body["contact"]["lastName"] == "Sato"
    assert "city" not in body["contact"]
    assert body["contact"]["dateUpdated"] > created["dateUpdated"]


def test_two_changes_in_one_millisecond_have_different_times() -> None:
    contacts, contact = Contacts(), SandboxContact("location", {})

    times: list[int] = []
    for _ in range(100):
        contacts.save(contact)
        times.append(contact.updated_ms)

    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"locationId": "x"}, "property locationId should not exist"),
        ({"companyName": "Hinode"}, "property companyName should not exist"),
        ({"gender": "male"}, "property gender should not exist"),
        ({"additionalEmails": ["x"]}, "property additionalEmails should not exist"),
        ({"firstName": 7}, "firstName must be a string"),
        ({"email": "riku"}, "email must be an email"),
        ({"tags": "vip"}, "tags must be an array"),
        ({"tags": [1]}, "each value in tags must be a string"),
        ({"dnd": "yes"}, "dnd must be a boolean value"),
        ({"customFields": [{"id": "x", "value": 1}]}, "customFields.0.property value should not"),
        ({"customFields": [{"id": 7, "field_value": 1}]}, "customFields.0.id must be a string"),
        ({"city": "Nara", "dateOfBirth": "soon"}, "dateOfBirth must be a valid date"),
        ({"dndSettings": {"Fax": {}}}, "dndSettings.property Fax should not exist"),
        ({"dndSettings": {"SMS": {"status": "on"}}}, "dndSettings.SMS.status must be one of"),
        ({"inboundDndSettings": {"all": 1}}, "inboundDndSettings.all.must be an object"),
    ],
)
async def test_a_body_the_vendor_does_not_take_is_a_422_with_a_list(
    sandbox: SandboxCaller, body: dict[str, object], fault: str
) -> None:
    created = await sandbox.create(firstName="Riku")

    answer = await sandbox.ghl("PUT", f"/contacts/{created['id']}", body)

    assert answer.status_code == 422
    assert answer.json()["error"] == "Unprocessable Entity"
    assert answer.json()["message"][0].startswith(fault)
    assert (await sandbox.read(created["id"]))["dateUpdated"] == created["dateUpdated"]


async def test_a_create_needs_its_location(sandbox: SandboxCaller) -> None:
    without = await sandbox.ghl("POST", "/contacts/", {"firstName": "Riku"})
    foreign = await sandbox.ghl("POST", "/contacts/", {"locationId": "elsewhere"})

    assert (without.status_code, foreign.status_code) == (422, 403)
    assert without.json()["message"] == ["locationId should not be empty"]


async def test_a_deleted_contact_is_then_a_400_not_found(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(firstName="Riku")

    deleted = await sandbox.ghl("DELETE", f"/contacts/{created['id']}")
    answer = await sandbox.ghl("GET", f"/contacts/{created['id']}")

    assert deleted.json()["succeded"] is True
    assert answer.status_code == 400
    assert answer.json()["message"] == f"Contact with id {created['id']} not found"
    assert answer.json()["traceId"]


async def test_tags_are_lower_case_and_added_once(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(tags=["VIP"])
    path = f"/contacts/{created['id']}/tags"

    added = await sandbox.ghl("POST", path, {"tags": ["New", "vip"]})
    again = await sandbox.ghl("POST", path, {"tags": ["new"]})

    assert added.status_code == 201
    assert added.json()["tags"] == ["vip", "new"]
    assert added.json()["tagsAdded"] == ["new"]
    assert again.json()["tagsAdded"] == []
    assert (await sandbox.read(created["id"]))["dateUpdated"] > created["dateUpdated"]


async def test_tags_are_removed_by_name(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(tags=["vip", "lead"])

    answer = await sandbox.ghl(
        "DELETE", f"/contacts/{created['id']}/tags", {"tags": ["VIP", "gone"]}
    )

    assert answer.status_code == 200
    assert answer.json()["tags"] == ["lead"]
    assert answer.json()["tagsRemoved"] == ["vip"]


async def test_tags_in_an_update_wipe_the_others(sandbox: SandboxCaller) -> None:
    created = await sandbox.create(tags=["vip", "lead"])

    await sandbox.ghl("PUT", f"/contacts/{created['id']}", {"tags": ["Booked"]})

    assert (await sandbox.read(created["id"]))["tags"] == ["booked"]


async def test_custom_fields_are_written_by_id_or_key_and_read_as_value(
    sandbox: SandboxCaller,
) -> None:
    made = await sandbox.control(
        "POST", "/ghl/custom_fields", name="Team Size", dataType="NUMERICAL"
    )
    field = made["customField"]
    assert field["fieldKey"] == "contact.team_size"
    created = await sandbox.create(customFields=[{"id": field["id"], "field_value": 3}])
    path = f"/contacts/{created['id']}"

    assert created["customFields"] == [{"id": field["id"], "value": 3}]
    for key in ("team_size", "contact.team_size"):
        await sandbox.ghl("PUT", path, {"customFields": [{"key": key, "fieldValue": key}]})
        assert (await sandbox.read(created["id"]))["customFields"][0]["value"] == key
    await sandbox.ghl("PUT", path, {"customFields": [{"id": field["id"], "field_value": None}]})
    assert (await sandbox.read(created["id"]))["customFields"] == []


@pytest.mark.parametrize(
    "written", ["1990-09-25", "1990/09/25", "1990.09.25", "1990_09_25", "09/25/1990", "09-25-1990"]
)
async def test_a_birthday_may_be_written_in_many_ways(sandbox: SandboxCaller, written: str) -> None:
    contact = await sandbox.create(firstName="Riku", dateOfBirth=written)

    assert contact["dateOfBirth"] == "1990-09-25T00:00:00.000Z"


async def test_a_multi_select_is_a_list_however_it_was_written(sandbox: SandboxCaller) -> None:
    path = f"/locations/{sandbox.location_id}/customFields"
    body = {"name": "Meals", "dataType": "MULTIPLE_OPTIONS", "options": ["Lunch", "Dinner"]}
    field = (await sandbox.ghl("POST", path, body)).json()["customField"]

    found: list[object] = []
    for value in ("Lunch", ["Lunch", "Dinner"], None):
        item = {"id": field["id"], "field_value": value}
        contact = await sandbox.create(firstName="Riku", customFields=[item])
        found += [known["value"] for known in contact["customFields"]]

    assert found == [["Lunch"], ["Lunch", "Dinner"]]


async def test_null_clears_a_field_and_a_refused_body_changes_nothing(
    sandbox: SandboxCaller,
) -> None:
    contact = await sandbox.create(firstName="Riku", city="Osaka", source="booking page")
    path = f"/contacts/{contact['id']}"

    await sandbox.ghl("PUT", path, {"source": None})
    await sandbox.ghl("PUT", path, {"city": "Nara", "mood": "good"})

    read = await sandbox.read(contact["id"])
    assert "source" not in read
    assert read["city"] == "Osaka"
