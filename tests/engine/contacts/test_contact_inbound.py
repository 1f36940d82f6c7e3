import asyncio
from datetime import UTC, datetime

import pytest

from tests.deliveries import confirmed
from tests.engine.world import World
from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.pull_contacts import Scope

RIKU = "riku@hinode.example"


async def linked(world: World) -> str:
    """Create a contact that is in sync on both sides."""
    await world.add(RIKU, first_name="Riku", phone="090-1234-5602")
    await world.sync(Scope.FULL)
    ghl_id = (await world.one_in_crm(RIKU))["id"]
    await world.calls()
    return ghl_id


async def city_here(world: World) -> object:
    (row,) = await world.people()
    return row.contact.values.get(FieldName("city"))


async def test_an_edit_in_the_crm_reaches_the_workspace(world: World) -> None:
    ghl_id = await linked(world)
    await world.edit_crm(RIKU, city="Osaka")

    (outcome,) = await world.handle(await world.notify("ContactUpdate", ghl_id))

    assert outcome.what == "applied"
    assert await city_here(world) == "Osaka"
    assert await world.calls() == [f"GET /contacts/{ghl_id}"]


async def test_our_own_write_comes_back_and_costs_no_call(world: World) -> None:
    ghl_id = await linked(world)

    outcomes = await world.handle(await world.notify("ContactCreate", ghl_id))

    assert [one.what for one in outcomes] == ["no-op"]
    assert await world.calls() == []


async def test_a_notification_that_lies_changes_nothing(world: World) -> None:
    ghl_id = await linked(world)

    (outcome,) = await world.handle(await world.notify("ContactUpdate", ghl_id, city="Atlantis"))

    assert outcome.what == "no-op"
    assert await city_here(world) is None
    assert await world.writes() == []


@pytest.mark.both_databases
async def test_older_notifications_end_with_the_newest_though_that_is_refused(world: World) -> None:
    ghl_id = await linked(world)
    await world.edit_crm(RIKU, city="Osaka")
    ids = [await world.notify("ContactUpdate", ghl_id) for _ in range(2)]
    fault = {"operation": "get-contact", "kind": "status", "value": 422}
    await world.ask("POST", "/ghl/faults", fault)

    await world.handle(ids[0])

    assert [await world.state_of(event_id) for event_id in ids] == ["superseded", "dead"]


async def test_several_notifications_about_one_contact_cost_one_look(world: World) -> None:
    ghl_id = await linked(world)
    await world.edit_crm(RIKU, city="Osaka")
    ids = [await world.notify("ContactUpdate", ghl_id) for _ in range(3)]

    await world.handle(ids[0], ids[1], ids[2])

    assert [await world.state_of(event_id) for event_id in ids] == [
        "superseded",
        "superseded",
        "applied",
    ]
    assert await world.calls() == [f"GET /contacts/{ghl_id}"]
    reported = await world.ledger.read(audit.entries, world.context.connection, 20)
    assert {RecordRef.event(event_id) for event_id in ids} <= {entry.subject for entry in reported}


async def test_a_new_contact_of_the_crm_is_added_once(world: World) -> None:
    await world.ask("POST", "/ghl/contacts", {"firstName": "Mei", "email": "mei@umi.example"})
    ghl_id = (await world.one_in_crm("mei@umi.example"))["id"]

    await world.handle(
        await world.notify("ContactCreate", ghl_id), await world.notify("ContactTagUpdate", ghl_id)
    )

    assert len(await world.people()) == 1


async def test_a_contact_gone_before_anybody_looked_is_nothing(world: World) -> None:
    (outcome,) = await world.handle(await world.notify("ContactCreate", "g0ne0000000000000000"))

    assert outcome.what == "no-op"
    assert await world.people() == []


async def test_a_deletion_asks_a_person_and_nothing_is_made_again(world: World) -> None:
    ghl_id = await linked(world)
    await world.ask("DELETE", f"/ghl/contacts/{ghl_id}")

    (outcome,) = await world.handle(await world.notify("ContactDelete", ghl_id))

    assert outcome.what == "review"
    assert len(await world.people()) == 1
    assert await world.writes() == []


async def test_a_deletion_that_is_not_true_is_no_deletion(world: World) -> None:
    ghl_id = await linked(world)

    (outcome,) = await world.handle(await world.notify("ContactDelete", ghl_id))

    assert outcome.what == "no-op"


@pytest.mark.both_databases
async def test_the_echo_of_a_booking_that_is_under_way_waits_for_it(world: World) -> None:
    event_id = await world.receive(confirmed(email=RIKU))
    booking = asyncio.create_task(world.handle(event_id))
    for _ in range(10_000):
        if await world.crm():
            break
    ghl_id = (await world.one_in_crm(RIKU))["id"]

    (outcome,) = await world.handle(await world.notify("ContactCreate", ghl_id))

    await booking
    assert outcome.what == "no-op"
    assert len(await world.people()) == 1
    assert len(await world.crm()) == 1


@pytest.mark.parametrize("type_", ["NoteCreate", "INSTALL"])
async def test_what_is_about_no_contact_is_unchanged(world: World, type_: str) -> None:
    event_id, _ = await world.ledger.write(
        inbox.store_event,
        connection=world.context.connection,
        source="ghl",
        type=type_,
        dedupe_key=type_,
        body="{}",
        now=datetime.now(UTC),
    )

    assert [one.what for one in await world.handle(event_id)] == ["ignored"]
