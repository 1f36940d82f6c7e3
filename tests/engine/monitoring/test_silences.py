"""Silent webhooks are detected by what polls found, and by nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.deliveries import confirmed
from tests.engine.polling_world import PollingWorld
from tests.engine.world import NAME, World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.engine.monitoring.silent_webhooks import SETTING_UP, find_silences

SOON = timedelta(minutes=30)
"""After GRACE: what happened just now should have been reported by then."""


LONG_AGO = SETTING_UP + timedelta(minutes=1)


async def publish(world: World, ago: timedelta = LONG_AGO) -> None:
    now = world.clock.now() - ago
    await world.ledger.write(published.publish, world.context.settings, now=now)


async def silent(world: World, when: timedelta = SOON) -> dict[str, int]:
    found = await world.ledger.read(find_silences, NAME, world.clock.now() + when)
    return {service: each.changes for service, each in found.items()}


async def receive_notifications(world: World, source: Any, ago: timedelta = timedelta(0)) -> None:
    """Receive a webhook without effect some time ago."""

    def store(tx: Connection) -> None:
        inbox.store_event(
            tx,
            connection=NAME,
            source=source,
            type="anything",
            dedupe_key=f"{source} {ago}".replace(" ", "-"),
            body="{}",
            now=world.clock.now() - ago,
            state=inbox.InboxState.IGNORED,
        )

    await world.ledger.write(store)


@pytest.mark.both_databases
async def test_bookings_that_only_the_poll_finds_are_a_silence_of_timerex(
    polling: PollingWorld,
) -> None:
    await publish(polling.world)
    for number in range(2):
        await polling.book(guest_email=f"g{number}@umi.example")

    await polling.poll()

    assert await silent(polling.world) == {"TimeRex": 2}
    assert await silent(polling.world, timedelta(0)) == {}, "they may come still"


async def test_a_cancellation_counts_by_its_own_time(polling: PollingWorld) -> None:
    await publish(polling.world)
    booking_id = await polling.book()
    await polling.poll()
    await polling.handle()
    await polling.cancel(booking_id)
    await polling.poll()

    assert await silent(polling.world) == {"TimeRex": 2}


async def test_a_webhook_that_came_since_is_no_silence(polling: PollingWorld) -> None:
    await publish(polling.world)
    for number in range(3):
        await polling.book(guest_email=f"g{number}@umi.example")
    await polling.poll()

    await polling.world.receive(confirmed("other"))

    assert await silent(polling.world) == {}


async def test_one_that_came_long_before_is_a_silence_all_the_same(polling: PollingWorld) -> None:
    await publish(polling.world)
    await receive_notifications(polling.world, "timerex", ago=timedelta(hours=2))
    for number in range(2):
        await polling.book(guest_email=f"g{number}@umi.example")

    await polling.poll()

    assert await silent(polling.world) == {"TimeRex": 2}


@pytest.mark.parametrize("ago", [timedelta(seconds=-1), SETTING_UP - timedelta(minutes=1)])
async def test_bookings_made_before_the_webhooks_were_entered_are_none(
    polling: PollingWorld, ago: timedelta
) -> None:
    for number in range(3):
        await polling.book(guest_email=f"g{number}@umi.example")
    await publish(polling.world, ago)

    await polling.poll()

    assert await silent(polling.world) == {}


async def test_a_day_later_it_is_old_news(polling: PollingWorld) -> None:
    await publish(polling.world)
    for number in range(3):
        await polling.book(guest_email=f"g{number}@umi.example")

    await polling.poll()

    assert await silent(polling.world, timedelta(days=1, minutes=1)) == {}


async def test_what_timerex_gives_no_time_of_is_not_counted(polling: PollingWorld) -> None:
    await publish(polling.world)
    for number in range(3):
        await polling.world.ledger.write(
            inbox.store_event,
            connection=NAME,
            source="timerex",
            type="event_confirmed",
            origin="poll",
            dedupe_key=f"polled b{number} stands 0 0",
            body=json.dumps(confirmed(f"b{number}")),
            now=polling.world.clock.now(),
        )

    assert await silent(polling.world) == {}


@pytest.fixture
async def crm(world: World) -> World:
    """A CRM with two contacts that we created, whose webhooks arrived until an hour ago."""
    world.clock.advance(-LONG_AGO)
    for number in range(2):
        await world.add(f"p{number}@umi.example")
    await world.sync()
    world.clock.advance(LONG_AGO)
    await publish(world)
    await receive_notifications(world, "ghl", ago=timedelta(hours=1))
    return world


async def edit_all(world: World) -> None:
    for contact in await world.crm():
        await world.ask("PATCH", f"/ghl/contacts/{contact['id']}", {"city": "Kyoto"})


@pytest.mark.both_databases
async def test_edits_in_the_crm_that_only_the_poll_finds_are_a_silence_of_ghl(crm: World) -> None:
    before = await silent(crm)
    await edit_all(crm)
    await crm.sync()

    assert (before, await silent(crm)) == ({}, {"GHL": 2})
    assert await silent(crm, timedelta(0)) == {}, "they may come still"


async def test_people_made_in_the_crm_whom_only_the_poll_finds_are_one_too(crm: World) -> None:
    for number in range(2):
        await crm.ask("POST", "/ghl/contacts", {"email": f"new{number}@umi.example"})
    await crm.sync()

    assert await silent(crm) == {"GHL": 2}


async def test_where_no_webhook_of_ghl_ever_came_none_is_missed(world: World) -> None:
    await publish(world)
    for number in range(3):
        await world.ask("POST", "/ghl/contacts", {"email": f"p{number}@umi.example"})
    await world.sync()

    assert await silent(world) == {}


async def test_a_webhook_of_ghl_that_came_since_is_no_silence(crm: World) -> None:
    await edit_all(crm)
    await crm.sync()
    await receive_notifications(crm, "ghl")

    assert await silent(crm) == {}


async def test_our_own_writes_to_the_crm_are_no_changes_that_webhooks_should_report(
    crm: World,
) -> None:
    for row in await crm.people():
        await crm.edit(row.id, ("vip",), city="Osaka")
    await crm.sync()
    await crm.sync()

    assert await silent(crm) == {}


async def test_a_contact_that_we_wrote_to_since_is_not_counted(crm: World) -> None:
    await edit_all(crm)
    await crm.sync()
    for row in await crm.people():
        await crm.edit(row.id, (), city="Osaka")
    await crm.sync()

    assert await silent(crm) == {}


async def test_one_services_webhooks_say_nothing_about_the_others(
    polling: PollingWorld,
) -> None:
    await publish(polling.world)
    for number in range(2):
        await polling.book(guest_email=f"g{number}@umi.example")
    await polling.poll()

    await receive_notifications(polling.world, "ghl")

    assert await silent(polling.world) == {"TimeRex": 2}
