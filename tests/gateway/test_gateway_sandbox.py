"""The sandbox's GHL sends to a running gateway over sockets, with injected faults."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.gateway.given import PATIENT, TOKEN, publish, serving, settings_with
from tests.gateway.webhooks.ghl_sender import stored
from tests.loopback import NO_TLS
from tests.receiver import Receiver
from tests.sandbox.calling import SandboxCaller
from tests.sandbox.ghl.ghl_delivering import ENDPOINT, GhlApp
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.sandbox import running_sandbox

FORGERIES = [
    "unsigned", "bad_signature", "other_key", "other_header", "not_available", "changed_body",
    "rewritten_body",
]  # fmt: skip

LIMITS = PATIENT._replace(published_kept_s=0)  # published connections are visible at once


@pytest.fixture
async def app(ledger: Ledger, ledger_url: str) -> AsyncGenerator[GhlApp]:
    """A GHL app that sends to our endpoint, with the connection's key and app id."""
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS, timeout=60) as http:
        ghl = info.ghl
        settings = settings_with(
            TOKEN,
            location=ghl.location_id,
            keys=(ghl.webhook_public_key,),
            app_id=ghl.client_id.partition("-")[0],
        )
        await publish(ledger, settings)
        async with serving(ledger_url, LIMITS) as address:
            app = GhlApp(SandboxCaller(info, http), Receiver(), ghl.webhook_public_key)
            await app.set_webhook(url=address + ENDPOINT, pause_s=0.02, timeout_s=60)
            yield app


async def states(ledger: Ledger) -> list[tuple[str, str]]:
    return [(kind, state) for _, kind, state, _ in await stored(ledger)]


async def test_what_happens_in_the_crm_waits_in_the_inbox_once(app: GhlApp, ledger: Ledger) -> None:
    await app.goes_wrong("copies", value=5, every=1)

    contact = await app.sandbox.create(firstName="Riku", tags=["vip"])
    await app.sandbox.ghl("POST", f"/contacts/{contact['id']}/notes", {"body": "Hello"})

    deliveries = await app.wait_for_states("delivered", "delivered")
    assert {one["status"] for delivery in deliveries for one in delivery["tries"]} == {200}
    assert sorted(await states(ledger)) == [("ContactCreate", "waiting"), ("NoteCreate", "waiting")]


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forgery_leaves_nothing_and_the_true_one_is_stored_after_it(
    app: GhlApp, ledger: Ledger, forgery: str
) -> None:
    await app.goes_wrong(forgery)
    await app.emit()
    (delivery,) = await app.wait_for_states("failed")

    assert [one["status"] for one in delivery["tries"]] == [401]
    assert await stored(ledger) == []
    await app.control("POST", f"/deliveries/{delivery['id']}/repeat")
    await app.wait_for_states("delivered")
    assert await states(ledger) == [("ContactUpdate", "waiting")]


async def test_a_replay_is_acknowledged_and_stores_nothing_more(
    app: GhlApp, ledger: Ledger
) -> None:
    await app.emit()
    (delivery,) = await app.wait_for_states("delivered")

    await app.control("POST", f"/deliveries/{delivery['id']}/repeat", copies=3)

    async with asyncio.timeout(60):
        while len(delivery["tries"]) < 4:
            (delivery,) = await app.deliveries()
    assert {one["status"] for one in delivery["tries"]} == {200}
    assert await states(ledger) == [("ContactUpdate", "waiting")]


async def test_what_comes_in_another_order_is_stored_in_the_order_it_came(
    app: GhlApp, ledger: Ledger
) -> None:
    await app.goes_wrong("pause", times=2)
    await app.emit(type_="ContactCreate")
    await app.emit(type_="ContactDelete")

    await app.control("POST", "/deliveries/release", order="reversed")

    await app.wait_for_states("delivered", "delivered")
    assert [kind for kind, _ in await states(ledger)] == ["ContactDelete", "ContactCreate"]


async def test_a_key_changed_at_ghl_is_refused_until_it_is_published(
    app: GhlApp, ledger: Ledger
) -> None:
    new = (await app.control("POST", "/webhook/key"))["public_key"]
    await app.emit()
    (delivery,) = await app.wait_for_states("failed")

    location = app.sandbox.location_id
    await publish(ledger, settings_with(TOKEN, location=location, keys=(app.key, new)))
    await app.control("POST", f"/deliveries/{delivery['id']}/repeat")

    await app.wait_for_states("delivered")
    assert await states(ledger) == [("ContactUpdate", "waiting")]


async def test_an_installation_and_its_end_wait_for_the_location(
    app: GhlApp, ledger: Ledger
) -> None:
    await app.control("POST", "/install")
    await app.wait_for_states("delivered")
    await app.control("POST", "/uninstall")
    await app.wait_for_states("delivered", "delivered")

    assert await states(ledger) == [("INSTALL", "waiting"), ("UNINSTALL", "waiting")]
