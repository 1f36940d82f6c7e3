"""Faults of webhook deliveries, on request: doubled, late, out of order, lost, forged."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.receiver import open_receiver
from tests.sandbox.calling import SandboxCaller
from tests.sandbox.clocks import ManualClock
from tests.sandbox.ghl.ghl_delivering import ENDPOINT, GhlApp


@pytest.fixture
async def app(sandbox: SandboxCaller) -> AsyncIterator[GhlApp]:
    async with app_of(sandbox) as app:
        yield app


@pytest.fixture
async def timed_app(timed: SandboxCaller) -> AsyncIterator[GhlApp]:
    """An app of a sandbox whose clock stands still until the test moves it."""
    async with app_of(timed) as app:
        yield app


@asynccontextmanager
async def app_of(sandbox: SandboxCaller) -> AsyncGenerator[GhlApp]:
    async with open_receiver() as endpoint:
        url = endpoint.url(ENDPOINT)
        keys = await sandbox.control("POST", "/ghl/webhook", url=url, pause_s=0.02)
        yield GhlApp(sandbox, endpoint, keys["public_key"])


async def test_a_delivery_comes_three_times(app: GhlApp) -> None:
    await app.goes_wrong("copies", value=3)

    await app.emit(2)

    doubled, plain = await app.wait_for_states("delivered", "delivered")
    assert (len(doubled["tries"]), len(plain["tries"])) == (3, 1)
    assert sorted(app.received()) == ["e0", "e0", "e0", "e1"]
    assert (doubled["faults"], plain["faults"]) == (["copies"], [])


async def test_a_late_delivery_is_overtaken(timed_app: GhlApp, clock: ManualClock) -> None:
    await timed_app.goes_wrong("delay", value=200)

    await timed_app.emit(2)
    await timed_app.wait_for_states("waiting", "delivered")
    clock.advance(0.2)

    await timed_app.wait_for_states("delivered", "delivered")
    assert timed_app.received() == ["e1", "e0"]


@pytest.mark.parametrize(
    ("order", "deliveries"),
    [
        ({}, ["e0", "e1", "e2"]),
        ({"order": "reversed"}, ["e2", "e1", "e0"]),
        ({"order": "shuffled", "seed": 1}, ["e1", "e2", "e0"]),
    ],
)
async def test_what_is_paused_comes_when_released(
    app: GhlApp, order: dict[str, object], deliveries: list[str]
) -> None:
    await app.goes_wrong("pause", times=3)
    await app.emit(3)
    await app.wait_for_states("paused", "paused", "paused")

    released = await app.control("POST", "/deliveries/release", **order)

    await app.wait_for_states(*["delivered"] * 3)
    assert released == {"released": 3}
    assert app.received() == deliveries


async def test_shuffled_deliveries_all_arrive(timed_app: GhlApp, clock: ManualClock) -> None:
    await timed_app.goes_wrong("shuffle", value=100, every=1)

    await timed_app.emit(8)
    await timed_app.wait_for_states(*["waiting"] * 8)
    clock.advance(0.1)

    await timed_app.wait_for_states(*["delivered"] * 8)
    assert timed_app.received() != [f"e{number}" for number in range(8)]
    assert sorted(timed_app.received()) == [f"e{number}" for number in range(8)]


async def test_a_share_is_dropped_and_never_tried(app: GhlApp) -> None:
    await app.goes_wrong("drop", share=0.5, seed=3)

    await app.emit(20)

    states = [one["state"] for one in await app.deliveries()]
    dropped = states.count("dropped")
    await app.wait_for_states(
        *[("dropped" if state == "dropped" else "delivered") for state in states]
    )
    assert 0 < dropped < 20
    assert len(app.received()) == 20 - dropped


async def test_only_deliveries_of_a_type_are_struck(app: GhlApp) -> None:
    await app.goes_wrong("drop", type="NoteCreate")

    await app.emit()
    await app.emit(type_="NoteCreate")

    await app.wait_for_states("delivered", "dropped")


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        ("unsigned", False),
        ("bad_signature", True),
        ("other_key", True),
        ("other_header", False),
        ("not_available", True),
        ("changed_body", True),
        ("rewritten_body", True),
    ],
)
async def test_a_forged_delivery_fails_the_check(app: GhlApp, kind: str, shows: bool) -> None:  # noqa: FBT001
    await app.goes_wrong(kind)

    await app.emit()

    (delivery,) = await app.wait_for_states("delivered")
    assert ("x-ghl-signature" in app.endpoint.headers()) is shows
    assert not app.is_signed()
    assert delivery["faults"] == [kind]


async def test_a_replay_is_the_same_bytes(app: GhlApp) -> None:
    await app.emit()
    (delivery,) = await app.wait_for_states("delivered")

    await app.control("POST", f"/deliveries/{delivery['id']}/repeat", copies=2)

    await app.endpoint.has(3)
    assert len({*app.endpoint.raw}) == 1
    assert app.is_signed()
    assert app.endpoint.headers()["deliveryid"] == delivery["id"]


async def test_a_body_is_sent_as_it_was_written(app: GhlApp) -> None:
    await app.control("POST", "/deliveries", type="Odd", text='{"a": 1, "a": 2,}')

    (delivery,) = await app.wait_for_states("delivered")
    assert app.endpoint.raw == [b'{"a": 1, "a": 2,}']
    assert app.is_signed()
    shown = await app.control("GET", f"/deliveries/{delivery['id']}")
    assert shown == {"body": '{"a": 1, "a": 2,}'}


async def test_deliveries_are_counted_and_found_by_state(app: GhlApp) -> None:
    await app.goes_wrong("drop")
    await app.emit(3)
    await app.wait_for_states("dropped", "delivered", "delivered")

    counted = await app.control("GET", "/deliveries/counts")
    dropped = await app.control("GET", "/deliveries?state=dropped")

    assert counted == {"states": {"dropped": 1, "delivered": 2}}
    assert [one["state"] for one in dropped["deliveries"]] == ["dropped"]


async def test_forgotten_faults_strike_no_more(app: GhlApp) -> None:
    await app.goes_wrong("drop", every=1)
    await app.control("DELETE", "/webhook/faults")

    await app.emit(2)

    await app.wait_for_states("delivered", "delivered")


async def test_bookings_of_timerex_go_wrong_the_same_way(sandbox: SandboxCaller) -> None:
    async with open_receiver() as endpoint:
        await sandbox.control("POST", "/timerex/webhook", url=endpoint.url())
        await sandbox.control("POST", "/timerex/webhook/faults", kind="unsigned")
        await sandbox.control("POST", "/timerex/webhook/faults", kind="copies", value=2)
        guest = {"guest_name": "Riku", "guest_email": "riku@hinode.example"}
        await sandbox.control(
            "POST", "/timerex/bookings", **guest, starts_at="2026-02-10T01:00:00Z"
        )
        await endpoint.has(2)
    assert endpoint.raw[0] == endpoint.raw[1]
    assert "x-timerex-authorization" not in endpoint.headers()
