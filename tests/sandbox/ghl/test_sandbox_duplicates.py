"""The location's duplicate rule, and upsert."""

from tests.sandbox.calling import SandboxCaller

RIKU = {"firstName": "Riku", "lastName": "Sato", "email": "riku@hinode.example"}


async def test_a_taken_email_is_refused_with_its_holder(sandbox: SandboxCaller) -> None:
    riku = await sandbox.create(**RIKU)

    answer = await sandbox.ghl(
        "POST",
        "/contacts/",
        {"locationId": sandbox.location_id, "email": "RIKU@hinode.example"},
    )

    body = answer.json()
    assert answer.status_code == 400
    assert body["message"] == "This location does not allow duplicated contacts."
    assert body["meta"] == {
        "contactId": riku["id"],
        "contactName": "Riku Sato",
        "matchingField": "email",
    }


async def test_an_update_to_a_taken_phone_is_refused_too(sandbox: SandboxCaller) -> None:
    riku = await sandbox.create(phone="+819012345678")
    other = await sandbox.create(firstName="Yui")

    own = await sandbox.ghl("PUT", f"/contacts/{riku['id']}", {"phone": "090-1234-5678"})
    taken = await sandbox.ghl("PUT", f"/contacts/{other['id']}", {"phone": "090-1234-5678"})

    assert own.status_code == 200
    assert taken.json()["meta"]["contactId"] == riku["id"]


async def test_where_duplicates_are_allowed_a_second_contact_is_made(
    sandbox: SandboxCaller,
) -> None:
    first = await sandbox.create(**RIKU)
    await sandbox.control("POST", "/ghl/settings", allow_duplicates=True)

    second = await sandbox.create(**RIKU)

    assert second["id"] != first["id"]


async def test_the_duplicate_search_finds_by_email_or_number(sandbox: SandboxCaller) -> None:
    riku = await sandbox.create(**RIKU, phone="+819012345678")
    base = f"/contacts/search/duplicate?locationId={sandbox.location_id}"

    by_email = (await sandbox.ghl("GET", f"{base}&email=Riku%40hinode.example")).json()
    by_number = (await sandbox.ghl("GET", f"{base}&number=%2B819012345678")).json()
    nobody = (await sandbox.ghl("GET", f"{base}&email=yui%40hinode.example")).json()
    neither = await sandbox.ghl("GET", base)

    assert by_email["contact"]["id"] == by_number["contact"]["id"] == riku["id"]
    assert nobody["contact"] is None
    assert neither.status_code == 422


async def test_the_duplicate_search_knows_further_emails_and_phones(
    sandbox: SandboxCaller,
) -> None:
    more = {"additionalEmails": ["r@hinode.example"], "additionalPhones": ["03-1234-5678"]}
    made = await sandbox.control("POST", "/ghl/contacts", **more)
    base = f"/contacts/search/duplicate?locationId={sandbox.location_id}"

    by_email = (await sandbox.ghl("GET", f"{base}&email=r%40hinode.example")).json()
    by_number = (await sandbox.ghl("GET", f"{base}&number=%2B81312345678")).json()

    assert by_email["contact"]["id"] == by_number["contact"]["id"] == made["contact"]["id"]
    assert by_number["contact"]["additionalPhones"] == [{"phone": "+81312345678"}]


async def test_a_merge_keeps_the_keys_of_the_contact_that_is_gone(sandbox: SandboxCaller) -> None:
    loser = await sandbox.create(**RIKU, phone="+819012345678")
    master = await sandbox.create(email="aoi@hinode.example")

    merged = await sandbox.control("POST", f"/ghl/contacts/{loser['id']}/merge", into=master["id"])

    contact = merged["contact"]
    assert (contact["email"], contact["phone"]) == ("aoi@hinode.example", "+819012345678")
    assert contact["additionalEmails"] == [{"email": RIKU["email"]}]
    assert contact["additionalPhones"] == []


async def test_upsert_changes_the_holder_or_makes_a_contact(sandbox: SandboxCaller) -> None:
    body = {"locationId": sandbox.location_id, **RIKU, "tags": ["a"]}

    new = (await sandbox.ghl("POST", "/contacts/upsert", body)).json()
    known = (await sandbox.ghl("POST", "/contacts/upsert", {**body, "tags": ["b"]})).json()

    assert (new["new"], known["new"]) == (True, False)
    assert known["contact"]["id"] == new["contact"]["id"]
    assert known["contact"]["tags"] == ["b"]


async def test_upsert_drops_the_key_of_another_contact_without_a_word(
    sandbox: SandboxCaller,
) -> None:
    riku = await sandbox.create(**RIKU)
    yui = await sandbox.create(phone="+819012345678")
    both = {"locationId": sandbox.location_id, **RIKU, "phone": yui["phone"]}

    answer = (await sandbox.ghl("POST", "/contacts/upsert", both)).json()

    assert answer["contact"]["id"] == riku["id"]
    assert "phone" not in answer["contact"]


async def test_upsert_by_a_further_email_replaces_the_first_one(sandbox: SandboxCaller) -> None:
    made = await sandbox.control(
        "POST",
        "/ghl/contacts",
        email="riku@hinode.example",
        additionalEmails=["r@hinode.example"],
    )

    answer = await sandbox.ghl(
        "POST",
        "/contacts/upsert",
        {"locationId": sandbox.location_id, "email": "r@hinode.example"},
    )

    assert answer.json()["contact"]["id"] == made["contact"]["id"]
    assert answer.json()["contact"]["email"] == "r@hinode.example"


async def test_upsert_follows_the_order_of_the_locations_identifiers(
    sandbox: SandboxCaller,
) -> None:
    riku = await sandbox.create(**RIKU)
    yui = await sandbox.create(phone="+819012345678")
    both = {"locationId": sandbox.location_id, **RIKU, "phone": yui["phone"]}
    await sandbox.control("POST", "/ghl/settings", unique_identifiers=["phone", "email"])

    answer = (await sandbox.ghl("POST", "/contacts/upsert", both)).json()

    assert answer["contact"]["id"] == yui["id"]
    assert "email" not in answer["contact"]
    assert (await sandbox.read(riku["id"]))["email"] == RIKU["email"]
