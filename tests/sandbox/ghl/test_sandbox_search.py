"""Search: shape, filters, sorting, pages and the cursor."""

import pytest

from tests.sandbox.calling import SandboxCaller

BY_CHANGE = [{"field": "dateUpdated", "direction": "asc"}]


async def test_a_found_contact_is_null_when_empty_and_calls_its_address_differently(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.create(firstName="Riku", address1="1-2-3 Aoba", dateOfBirth="1990-01-02")

    found = (await sandbox.search())["contacts"][0]

    assert (found["firstName"], found["contactName"]) == ("Riku", "riku")
    assert found["address"] == "1-2-3 Aoba"
    assert found["dateOfBirth"] == 631_238_400_000
    assert found["email"] is None
    assert "address1" not in found


async def test_the_cursor_walks_all_contacts_once_in_the_order_of_change(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/bulk", count=250, seed=7)
    found: list[tuple[str, str]] = []
    body: dict[str, object] = {"pageLimit": 60, "sort": BY_CHANGE}

    while contacts := (page := await sandbox.search(**body))["contacts"]:
        found += [(contact["dateUpdated"], contact["id"]) for contact in contacts]
        body["searchAfter"] = contacts[-1]["searchAfter"]

    assert page["total"] == 250
    assert len(set(found)) == 250
    assert found == sorted(found)


async def test_a_change_moves_a_contact_behind_the_cursor(sandbox: SandboxCaller) -> None:
    first = await sandbox.create(firstName="Riku")
    await sandbox.create(firstName="Yui")
    last = (await sandbox.search(sort=BY_CHANGE))["contacts"][-1]

    await sandbox.control("PATCH", f"/ghl/contacts/{first['id']}", firstName="Rikuto")
    page = await sandbox.search(sort=BY_CHANGE, searchAfter=last["searchAfter"])

    assert [contact["id"] for contact in page["contacts"]] == [first["id"]]


async def test_a_range_keeps_what_changed_since(sandbox: SandboxCaller) -> None:
    old = await sandbox.create(firstName="Riku")
    new = await sandbox.create(firstName="Yui")

    for bound in (new["dateUpdated"], (await sandbox.search())["contacts"][0]["searchAfter"][0]):
        since = {"field": "dateUpdated", "operator": "range", "value": {"gte": bound}}
        page = await sandbox.search(filters=[since])
        assert [contact["id"] for contact in page["contacts"]] == [new["id"]]
    assert old["id"] != new["id"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([{"field": "email", "operator": "eq", "value": "RIKU@hinode.example"}], {"Riku"}),
        ([{"field": "tags", "operator": "contains", "value": "vip"}], {"Riku", "Yui"}),
        ([{"field": "tags", "operator": "not_contains", "value": "vip"}], {"Ren"}),
        ([{"field": "phone", "operator": "exists"}], {"Yui"}),
        ([{"field": "phone", "operator": "not_exists"}], {"Riku", "Ren"}),
        ([{"field": "firstNameLowerCase", "operator": "not_eq", "value": "ren"}], {"Riku", "Yui"}),
        (
            [
                {
                    "group": "OR",
                    "filters": [
                        {"field": "firstNameLowerCase", "operator": "eq", "value": "ren"},
                        {"field": "phone", "operator": "eq", "value": "+819012345678"},
                    ],
                }
            ],
            {"Yui", "Ren"},
        ),
    ],
)
async def test_filters(sandbox: SandboxCaller, filters: object, names: set[str]) -> None:
    await sandbox.create(firstName="Riku", email="riku@hinode.example", tags=["vip"])
    await sandbox.create(firstName="Yui", phone="+819012345678", tags=["vip", "lead"])
    await sandbox.create(firstName="Ren")

    page = await sandbox.search(filters=filters)

    assert {contact["firstName"] for contact in page["contacts"]} == names


async def test_a_query_looks_into_names_and_keys(sandbox: SandboxCaller) -> None:
    await sandbox.create(firstName="Riku", email="riku@hinode.example")
    await sandbox.create(firstName="Yui")

    assert [c["firstName"] for c in (await sandbox.search(query="HINODE"))["contacts"]] == ["Riku"]


async def test_page_numbers_page_too(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/bulk", count=5, seed=1)

    pages = [await sandbox.search(page=page, pageLimit=2) for page in (1, 2, 3, 4)]

    assert [len(page["contacts"]) for page in pages] == [2, 2, 1, 0]


async def test_page_numbers_end_at_ten_thousand_records_and_the_cursor_goes_on(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/bulk", count=10_010, seed=1)

    last = await sandbox.search(page=20, sort=BY_CHANGE)
    beyond = {"locationId": sandbox.location_id, "pageLimit": 500, "page": 21}
    refused = await sandbox.ghl("POST", "/contacts/search", beyond)
    after = last["contacts"][-1]["searchAfter"]
    rest = await sandbox.search(searchAfter=after, sort=BY_CHANGE)

    assert (len(last["contacts"]), last["total"]) == (500, 10_010)
    assert refused.status_code == 400
    assert len(rest["contacts"]) == 10


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"pageLimit": 501}, 422, ["pageLimit must be a whole number from 1 to 500"]),
        ({"pageLimit": None}, 422, ["pageLimit must be a whole number from 1 to 500"]),
        ({"query": "x" * 76}, 422, ["query must be shorter than or equal to 75 characters"]),
        ({"limit": 5}, 422, ["property limit should not exist"]),
        ({"sort": [{"field": "contact_name", "direction": "asc"}]}, 400, "Invalid field"),
        ({"filters": [{"field": "mood", "operator": "eq"}]}, 400, "Invalid field mood"),
        ({"filters": [{"field": "email", "operator": "contains", "value": "x"}]}, 400, "Invalid"),
        ({"filters": [{"field": "city", "operator": "eq", "value": "x" * 76}]}, 422, ["value "]),
        ({"filters": {}}, 422, ["filters must be an array"]),
        ({"page": 1, "searchAfter": [1, "x"]}, 400, "Use either page or searchAfter"),
        ({"searchAfter": [1]}, 422, ["searchAfter must be"]),
    ],
)
async def test_a_search_the_vendor_does_not_take_is_refused(
    sandbox: SandboxCaller, body: dict[str, object], status: int, message: str | list[str]
) -> None:
    wanted = {"locationId": sandbox.location_id, "pageLimit": 10, **body}

    answer = await sandbox.ghl("POST", "/contacts/search", wanted)

    assert answer.status_code == status
    said = answer.json()["message"]
    assert type(said) is type(message)
    assert (said if isinstance(said, str) else said[0]).startswith(
        message if isinstance(message, str) else message[0]
    )


async def test_the_deprecated_list_pages_by_date_and_id(sandbox: SandboxCaller) -> None:
    await sandbox.control("POST", "/ghl/bulk", count=30, seed=1)
    base = f"/contacts/?locationId={sandbox.location_id}"

    first = (await sandbox.ghl("GET", base)).json()
    meta = first["meta"]
    after = f"&startAfter={meta['startAfter']}&startAfterId={meta['startAfterId']}"
    second = (await sandbox.ghl("GET", base + after)).json()
    unknown = await sandbox.ghl("GET", f"{base}&mood=good")

    ids = [contact["id"] for page in (first, second) for contact in page["contacts"]]
    assert (len(first["contacts"]), len(set(ids)), first["count"]) == (20, 30, 30)
    assert first["contacts"][0]["firstName"] == first["contacts"][0]["firstNameRaw"].lower()
    assert unknown.json()["message"] == ["property mood should not exist"]


async def test_contacts_of_a_business(sandbox: SandboxCaller) -> None:
    await sandbox.create(firstName="Yui")
    await sandbox.control("POST", "/ghl/contacts", firstName="Riku", businessId="b1")

    answer = await sandbox.ghl("GET", f"/contacts/business/b1?locationId={sandbox.location_id}")

    assert answer.json()["count"] == 1
    assert answer.json()["contacts"][0]["firstNameRaw"] == "Riku"


async def test_five_thousand_contacts_are_read_once_each_in_ten_pages(
    sandbox: SandboxCaller,
) -> None:
    await sandbox.control("POST", "/ghl/bulk", count=5000, seed=1)
    await sandbox.control("DELETE", "/ghl/calls")
    body: dict[str, object] = {"sort": BY_CHANGE}

    ids: list[str] = []
    while contacts := (await sandbox.search(**body))["contacts"]:
        ids += [contact["id"] for contact in contacts]
        body["searchAfter"] = contacts[-1]["searchAfter"]

    calls = (await sandbox.control("GET", "/ghl/calls"))["calls"]
    assert len(calls) == 11, "ten pages, and an empty one"
    assert len(ids) == len(set(ids)) == 5000
