"""Users, businesses, and many contacts at once: tags, business, followers, workflows."""

import pytest

from tests.sandbox.calling import SandboxCaller

GONE = "gone"


async def business(sandbox: SandboxCaller, name: str) -> str:
    body = {"locationId": sandbox.location_id, "name": name}
    return (await sandbox.ghl("POST", "/businesses/", body)).json()["buiseness"]["id"]


async def test_the_users_of_a_location_are_listed_found_and_read(sandbox: SandboxCaller) -> None:
    made = (await sandbox.control("POST", "/ghl/users", name="Ken Ito", email="ken@aoba.example"))[
        "user"
    ]
    location = (await sandbox.ghl("GET", f"/locations/{sandbox.location_id}")).json()["location"]
    search = f"/users/search?companyId={location['companyId']}"

    listed = await sandbox.ghl("GET", f"/users/?locationId={sandbox.location_id}")
    found = (await sandbox.ghl("GET", f"{search}&query=ken%40")).json()
    one = await sandbox.ghl("GET", f"/users/{made['id']}")

    assert [user["id"] for user in listed.json()["users"]] == [sandbox.info.ghl.user_id, made["id"]]
    assert ([user["id"] for user in found["users"]], found["count"]) == ([made["id"]], 1)
    assert one.json()["firstName"] == "Ken"
    assert one.json()["roles"]["locationIds"] == [sandbox.location_id]
    assert (await sandbox.ghl("GET", "/users/search?companyId=x")).status_code == 403
    assert (await sandbox.ghl("GET", f"/users/{GONE}")).status_code == 400


async def test_contacts_of_a_business_come_in_pages(sandbox: SandboxCaller) -> None:
    business_id = await business(sandbox, "Hinode")
    ids = [(await sandbox.create(firstName=name))["id"] for name in ("Riku", "Yui", "Ren")]
    body = {"locationId": sandbox.location_id, "ids": ids, "businessId": business_id}
    linked = await sandbox.ghl("POST", "/contacts/bulk/business", body)

    path = f"/contacts/business/{business_id}?locationId={sandbox.location_id}&limit=2"
    pages = [(await sandbox.ghl("GET", f"{path}&skip={skip}")).json() for skip in (0, 2, 4)]

    assert linked.json()["ids"] == ids
    assert [len(page["contacts"]) for page in pages] == [2, 1, 0]
    assert {page["count"] for page in pages} == {3}
    assert {found["businessName"] for found in (await sandbox.search())["contacts"]} == {"Hinode"}


async def test_a_business_is_taken_away_by_null_and_by_its_end(sandbox: SandboxCaller) -> None:
    first, second = await business(sandbox, "Hinode"), await business(sandbox, "Midori")
    contact = await sandbox.create(firstName="Riku")
    body = {"locationId": sandbox.location_id, "ids": [contact["id"]]}

    found: list[str | None] = []
    for business_id in (first, None, second):
        link = {**body, "businessId": business_id}
        await sandbox.ghl("POST", "/contacts/bulk/business", link)
        found.append((await sandbox.read(contact["id"])).get("businessId"))
    await sandbox.ghl("DELETE", f"/businesses/{second}")

    assert found == [first, None, second]
    assert "businessId" not in await sandbox.read(contact["id"])


@pytest.mark.parametrize(("ids", "business_id"), [(["x"] * 51, None), ([], GONE)])
async def test_a_bulk_change_of_business_has_its_limits(
    sandbox: SandboxCaller, ids: list[str], business_id: str | None
) -> None:
    body = {"locationId": sandbox.location_id, "ids": ids, "businessId": business_id}

    assert (await sandbox.ghl("POST", "/contacts/bulk/business", body)).status_code == 422


async def test_tags_in_bulk_have_an_outcome_for_each_contact(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku", tags=["vip"])
    body = {"locationId": sandbox.location_id, "contacts": [contact["id"], GONE], "tags": ["New"]}

    added = await sandbox.ghl("POST", "/contacts/bulk/tags/update/add", body)
    tags = (await sandbox.read(contact["id"]))["tags"]
    await sandbox.ghl("POST", "/contacts/bulk/tags/update/remove", {**body, "removeAllTags": True})

    done, error = added.json()["responses"]
    assert (added.status_code, added.json()["errorCount"]) == (201, 1)
    assert (done["oldTags"], done["tagsAdded"]) == (["vip"], ["new"])
    assert error == {"contactId": GONE, "message": "contact is deleted", "type": "error"}
    assert tags == ["vip", "new"]
    assert (await sandbox.read(contact["id"]))["tags"] == []
    assert (await sandbox.ghl("POST", "/contacts/bulk/tags/update/mix", body)).status_code == 400


async def test_followers_are_added_and_removed(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    path, user = f"/contacts/{contact['id']}/followers", sandbox.info.ghl.user_id

    added = [(await sandbox.ghl("POST", path, {"followers": [user]})).json() for _ in range(2)]
    followed = await sandbox.read(contact["id"])
    removed = (await sandbox.ghl("DELETE", path, {"followers": [user, GONE]})).json()

    assert [answer["followersAdded"] for answer in added] == [[user], []]
    assert followed["followers"] == [user]
    assert followed["dateUpdated"] > contact["dateUpdated"]
    assert (removed["followers"], removed["followersRemoved"]) == ([], [user])


async def test_a_contact_enters_and_leaves_a_known_workflow(sandbox: SandboxCaller) -> None:
    contact = await sandbox.create(firstName="Riku")
    listed = await sandbox.ghl("GET", f"/workflows/?locationId={sandbox.location_id}")
    path = f"/contacts/{contact['id']}/workflow/{listed.json()['workflows'][0]['id']}"
    unknown = await sandbox.ghl("POST", f"/contacts/{contact['id']}/workflow/{GONE}", {})

    for method in ("POST", "DELETE"):
        answer = await sandbox.ghl(method, path, {"eventStartTime": "2030-01-07T10:00:00+09:00"})
        assert (answer.status_code, answer.json()["succeded"]) == (200, True)
    assert unknown.status_code == 400
