"""A search is read page by page to the end."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.adapters.ghl.line import client_of, line
from tests.adapters.ghl.methods import CONTACT
from timerex_ghl.domain.shared.errors import RetryableError


def search_answers(people: int, *, at_most: int) -> Callable[[httpx.Request], httpx.Response]:
    """A search of contacts numbered from 1, with its own largest page."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        after = asked.get("searchAfter", [0])[0]
        size = min(asked["pageLimit"], at_most)
        found = range(after + 1, min(after + size, people) + 1)
        contacts = [{"id": f"c{n}", "locationId": "locAoba", "searchAfter": [n]} for n in found]
        return httpx.Response(200, json={"contacts": contacts, "total": people})

    return answer


@pytest.mark.parametrize(
    ("people", "limit", "at_most"),
    [(0, 2, 500), (1, 2, 500), (2, 2, 500), (3, 2, 500), (4, 2, 500), (7, 500, 3)],
    ids=["empty", "short", "one full page", "full and short", "two full pages", "shorter pages"],
)
async def test_a_search_is_read_to_its_end(people: int, limit: int, at_most: int) -> None:
    reported: list[str] = []
    transport = httpx.MockTransport(search_answers(people, at_most=at_most))
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_of(http, "https://ghl.example")
        page = await client.search_contacts(limit=limit)
        reported.extend(contact.id for contact in page.contacts)
        while page.after is not None:
            page = await client.search_contacts(limit=limit, after=page.after)
            reported.extend(contact.id for contact in page.contacts)

    assert reported == [f"c{n}" for n in range(1, people + 1)]


@pytest.mark.parametrize("cursor", [{}, {"searchAfter": None}, {"searchAfter": [1, "riku1"]}])
async def test_a_search_that_leads_nowhere_is_tried_again(cursor: dict[str, object]) -> None:
    page = {"contacts": [{**CONTACT, **cursor}], "total": 9}
    async with line(httpx.Response(200, json=page)) as sent:
        with pytest.raises(RetryableError):
            await sent.client.search_contacts(limit=1, after=(1, "riku1"))
