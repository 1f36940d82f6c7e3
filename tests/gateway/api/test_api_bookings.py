"""Bookings over HTTP: TimeRex's are read-only, those of the workspace are edited."""

from typing import Any

import httpx

from tests import make
from tests.gateway.api.given import CALL, add, assert_problem, at, book, events_of
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.shared.models import BookingRow, Contact, FieldName


async def from_timerex(ledger: Ledger, id_: str = "4f0a9c2be7716d83a5c1") -> None:
    row = BookingRow(booking=make.booking(id_), contact_id=None, verified=True)
    await ledger.write(bookings.save_booking, NAME, row)


async def test_a_booking_by_phone_is_kept_and_waits_to_be_handled(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person = await add(api)
    sent = {
        **CALL,
        "contact_id": person["id"],
        "calendar_name": "Phone call",
        "guest_name": "佐藤 陸",
        "host_names": ["Mori Kana"],
        "answers": [{"label": "ご職業", "value": ["会社員"]}],
    }

    made = await api.post("/bookings", json=sent)

    body = made.json()
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.headers["location"] == f"/api/v1/bookings/{body['id']}"
    assert {
        "origin": "workspace",
        "state": "confirmed",
        "starts_at": "2026-02-10T01:00:00Z",
        "contact_id": person["id"],
        "host_names": ["Mori Kana"],
    }.items() <= body.items()
    assert body["answers"] == [{"field_type": "", "label": "ご職業", "value": ["会社員"]}]
    assert (await api.get(f"/bookings/{body['id']}")).json() == body
    assert (await events_of(ledger))[1:] == [
        ("workspace", "booking changed", f"booking:{body['id']}", '{"version": 1}')
    ]


async def test_a_booking_shows_its_appointment_and_what_ghl_says_of_it(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    made = await book(api)
    link = Link(
        connection=NAME,
        kind="appointment",
        local_id=made["id"],
        remote_id="event1",
        base=Contact(values={FieldName("status"): "showed"}),
    )
    await ledger.write(links.save_links, [link])

    read = (await api.get(f"/bookings/{made['id']}")).json()

    assert (made["appointment_id"], made["appointment_status"]) == (None, None)
    assert (read["appointment_id"], read["appointment_status"]) == ("event1", "showed")
    assert (await api.get("/bookings")).json()["items"] == [read]


async def test_a_booking_made_here_is_moved_cancelled_and_deleted(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    where = f"/bookings/{(await book(api))['id']}"
    later = {"starts_at": "2026-02-11T10:00:00+09:00", "ends_at": "2026-02-11T10:30:00+09:00"}

    moved = await api.patch(where, json=later, headers=at(1))
    cancelled = await api.patch(
        where, json={"state": "cancelled", "cancellation_reason": "ill"}, headers=at(2)
    )
    deleted = await api.delete(where, headers=at(3))

    assert moved.json()["starts_at"] == "2026-02-11T01:00:00Z"
    assert (cancelled.json()["state"], cancelled.headers["etag"]) == ("cancelled", '"3"')
    assert deleted.status_code == 204
    assert_problem(await api.get(where), 404, "not-found")
    assert [event[3] for event in await events_of(ledger)] == [
        f'{{"version": {n}}}' for n in (1, 2, 3)
    ]


async def test_a_booking_of_timerex_is_read_and_never_edited(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    await from_timerex(ledger)
    where = "/bookings/4f0a9c2be7716d83a5c1"

    read = await api.get(where)

    assert (read.json()["origin"], read.headers["etag"]) == ("timerex", '"1"')
    for answer in (
        await api.patch(where, json={"state": "cancelled"}, headers=at(1)),
        await api.delete(where, headers=at(1)),
    ):
        problem = assert_problem(answer, 409, "made-in-timerex")
        assert "in TimeRex: move or cancel it there" in problem["detail"]
    assert (await api.get(where)).json() == read.json()
    assert await events_of(ledger) == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"ends_at": CALL["starts_at"]}, "ends_at"),
    ({"timezone": "Asia/Nowhere"}, "timezone"),
    ({"timezone": None}, "timezone"),
    ({"starts_at": 5}, "starts_at"),
    ({"guest_email": None}, "guest_email"),
    ({"contact_id": "c_1"}, "contact_id"),
    ({"contact_id": "c 1"}, "contact_id"),
    ({"state": "moved"}, "state"),
    ({"origin": "timerex"}, "origin"),
    ({"old_id": "b1"}, "old_id"),
]


async def test_a_booking_that_cannot_be_taken_is_refused_by_field(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    for changes, field in BAD:
        answer = await api.post("/bookings", json={**CALL, **changes})

        problem = assert_problem(answer, 422, "invalid")
        assert [error["field"] for error in problem["errors"]] == [field]
    assert await events_of(ledger) == []


async def test_a_guest_is_resolved_once(api: httpx.AsyncClient) -> None:
    person = await add(api)
    made = await book(api, contact_id=person["id"])

    answer = await api.patch(
        f"/bookings/{made['id']}", json={"contact_id": person["id"]}, headers=at(1)
    )

    assert_problem(answer, 422, "invalid")


async def test_an_unknown_version_or_none_is_refused(api: httpx.AsyncClient) -> None:
    where = f"/bookings/{(await book(api))['id']}"

    assert_problem(await api.patch(where, json={"guest_name": "X"}), 428, "no-version")
    stale = await api.patch(where, json={"guest_name": "X"}, headers=at(2))
    assert assert_problem(stale, 412, "stale")["version"] == 1
    assert_problem(await api.delete(where, headers=at(2)), 412, "stale")


async def test_bookings_are_chosen_by_time_guest_and_state(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    await from_timerex(ledger, "b1")
    person = await add(api)
    early = await book(
        api,
        contact_id=person["id"],
        starts_at="2026-02-01T10:00:00Z",
        ends_at="2026-02-01T10:30:00Z",
        state="cancelled",
    )

    for query, ids in (
        ({}, [early["id"], "b1"]),
        ({"starts_from": "2026-02-02T00:00:00Z"}, ["b1"]),
        ({"starts_before": "2026-02-02T00:00:00Z"}, [early["id"]]),
        ({"contact_id": person["id"]}, [early["id"]]),
        ({"state": "confirmed"}, ["b1"]),
        ({"state": "moved"}, []),
    ):
        found = (await api.get("/bookings", params=query)).json()["items"]
        assert [one["id"] for one in found] == ids, query
