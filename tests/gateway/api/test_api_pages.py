"""Lists have pages, with a cursor to the next."""

import base64

import httpx
import pytest

from tests.gateway.api.given import add, ask_for, assert_problem, at, book, write_down

PATHS = ("/contacts", "/bookings", "/notes", "/tasks")


async def walk(api: httpx.AsyncClient, path: str, **query: str) -> list[list[str]]:
    """Read every page; return the ids of each."""
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get(path, params={**query, **cursor})).json()
        pages.append([item["id"] for item in page["items"]])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}


async def fill(api: httpx.AsyncClient, path: str, number: int) -> set[str]:
    """Create some records; half of the bookings start at the same time."""
    made: set[str] = set()
    person = "" if path in {"/contacts", "/bookings"} else (await add(api))["id"]
    for n in range(number):
        if path == "/contacts":
            made.add((await add(api, email=f"guest{n}@hinode.example"))["id"])
        elif path == "/notes":
            made.add((await write_down(api, person))["id"])
        elif path == "/tasks":
            made.add((await ask_for(api, person))["id"])
        else:
            day = f"2026-02-{10 + n // 2}"
            times = {"starts_at": f"{day}T10:00:00Z", "ends_at": f"{day}T10:30:00Z"}
            made.add((await book(api, **times))["id"])
    return made


@pytest.mark.parametrize("path", PATHS)
async def test_every_record_is_on_one_page(api: httpx.AsyncClient, path: str) -> None:
    made = await fill(api, path, 6)

    for limit, pages in ((1, 6), (2, 3), (4, 2), (6, 1), (200, 1)):
        found = await walk(api, path, limit=str(limit))
        assert len(found) == pages
        ids = [one for page in found for one in page]
        assert len(ids) == len(set(ids))
        assert set(ids) == made


@pytest.mark.parametrize("path", PATHS)
async def test_a_record_deleted_meanwhile_does_no_harm_to_the_others(
    api: httpx.AsyncClient, path: str
) -> None:
    made = await fill(api, path, 6)
    first = (await api.get(path, params={"limit": 2})).json()
    last = first["items"][-1]
    await api.delete(f"{path}/{last['id']}", headers=at(1))

    rest = (await api.get(path, params={"cursor": first["next_cursor"]})).json()["items"]

    found = {item["id"] for item in (*first["items"], *rest)}
    assert found == made


async def test_a_page_has_fifty_unless_asked_otherwise(api: httpx.AsyncClient) -> None:
    await fill(api, "/contacts", 51)

    assert [len(page) for page in await walk(api, "/contacts")] == [50, 1]


QUERIES = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=-1", "limit"),
    ("limit=many", "limit"),
    ("limit=" + "9" * 5_000, "limit"),
    ("cursor=", "cursor"),
    ("cursor=%00", "cursor"),
    ("cursor=!!", "cursor"),
    ("cursor=_w", "cursor"),
    ("cursor=" + "A" * 401, "cursor"),
    ("emial=x", "emial"),
    ("offset=5", "offset"),
]


async def test_a_page_that_cannot_be_is_refused(api: httpx.AsyncClient) -> None:
    for path in PATHS:
        for query, field in QUERIES:
            problem = assert_problem(await api.get(f"{path}?{query}"), 422, "invalid")
            assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_cursor_made_up_is_refused_or_harmless(api: httpx.AsyncClient) -> None:
    for path in PATHS:
        for place in ("", "x", ":", "1:", "x:b1", "9" * 200 + ":b1", "1\0", "c_\0", "-1:b1"):
            cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
            answer = await api.get(path, params={"cursor": cursor})
            if answer.status_code != 200:
                assert_problem(answer, 422, "invalid")


async def test_what_nobody_can_be_found_by_is_refused(api: httpx.AsyncClient) -> None:
    for query in (
        "email=%00@x", "email=a%00@x.example", "phone=%00", "updated_since=now", "updated_since=5",
    ):  # fmt: skip
        assert_problem(await api.get(f"/contacts?{query}"), 422, "invalid")
