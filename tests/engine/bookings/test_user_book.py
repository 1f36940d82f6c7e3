"""A location's users are read once for many look-ups."""

import asyncio

import httpx
import pytest

from tests.adapters.ghl.line import EVERY_SCOPE, line
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.engine.user_book import FRESH_S, UserBook

KANA = {"id": "kana1", "name": "Kana", "email": "K@aoba.example"}
TWIN = {"id": "kana2", "name": "Kana", "email": "k@aoba.example"}
NOBODY = {"id": "none1", "name": "No e-mail"}


def known(*who: dict[str, str]) -> httpx.Response:
    return httpx.Response(200, json={"users": [*who]})


async def test_many_who_look_at_once_cost_one_call() -> None:
    book = UserBook()

    async with line(known(KANA, TWIN, NOBODY)) as ghl:
        found = await asyncio.gather(*(book.ids(ghl.client) for _ in range(20)))

        assert found == [{"k@aoba.example": "kana1"}] * 20
        assert await book.emails(ghl.client) == {
            "kana1": "k@aoba.example", "kana2": "k@aoba.example", "none1": "",
        }  # fmt: skip
        assert len(ghl.requests) == 1


async def test_the_list_is_read_anew_when_it_is_old() -> None:
    seconds = [0.0]
    book = UserBook(clock=lambda: seconds[0])

    async with line(known(), known(KANA)) as ghl:
        assert await book.ids(ghl.client) == {}
        seconds[0] = FRESH_S - 1
        assert await book.ids(ghl.client) == {}
        seconds[0] = FRESH_S
        assert await book.ids(ghl.client) == {"k@aoba.example": "kana1"}


async def test_without_the_right_nobody_is_known_and_nothing_is_asked() -> None:
    auth = PrivateToken("pit-x", EVERY_SCOPE - {"users.readonly"})

    async with line(auth=auth) as ghl:
        assert await UserBook().emails(ghl.client) == {}
        assert ghl.requests == []


async def test_a_call_that_ghl_does_not_have_any_more_is_nobody_and_an_outage_is_reported() -> None:
    gone = httpx.Response(404, json={"message": "Cannot GET /users/"})

    async with line(gone, httpx.Response(503)) as ghl:
        assert await UserBook().emails(ghl.client) == {}
        with pytest.raises(RetryableError):
            await UserBook().emails(ghl.client)
